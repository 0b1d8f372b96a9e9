# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pack of tests/golden/pack with weights that are functions of their names, so that goldens of whole samplings do not change
when the pack of the tree does (tests/support_pack.h writes the same pack)."""

import os

import torch
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from synthetic import synthetic

HERE = os.path.dirname(os.path.abspath(__file__))
PACK = os.path.join(HERE, "pack")
TOKENIZER = os.path.join(HERE, "..", "..", "models", "pocket", "tokenizer")  # CLIP's own, the same in every pack


def weight(name, shape):
    # A stack of convolutions without norms would lose the picture on the way.
    gain = 2 if "cond_embedding" in name and name.endswith("weight") else 1
    return synthetic(name, shape) * gain


def filled(network, part):
    name = lambda key: f"{part}.{key.removeprefix('text_model.')}"
    # Tables of positions are counted, not trained.
    weights = {k: v if k.endswith("position_ids") else weight(name(k), tuple(v.shape)) for k, v in network.state_dict().items()}
    network.load_state_dict(weights)
    return network.float().eval()


def text_encoder():
    return filled(CLIPTextModel(CLIPTextConfig.from_pretrained(PACK + "/text_encoder")), "text_encoder")


def load():
    part = lambda kind, name: filled(kind.from_config(kind.load_config(f"{PACK}/{name}")), name)
    return dict(
        vae=part(AutoencoderTiny, "vae"), unet=part(UNet2DConditionModel, "unet"), controlnet=part(ControlNetModel, "controlnet"),
        text_encoder=text_encoder(), tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
