# SPDX-License-Identifier: LGPL-2.1-or-later
"""Picture encoders of transformers, for tests/test_clip_vision.cpp.

    python3 tests/golden/make_clip_vision.py

Writes clip_vision/<name>/ (a tiny CLIPVisionModelWithProjection with random weights, or a whole CLIPModel, with its input, its embedding
and its hidden states), clip_vision/pictures.safetensors (pictures as CLIPImageProcessor prepares them) and clip_vision/full_<name>.txt
and .json (names and shapes of the published towers, and their configurations).
"""

import os
import pathlib

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from synthetic import write_list
from tiny_networks import rand, randomize

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clip_vision")
TINY = dict(hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=3, image_size=24, patch_size=8)
REAL = {
    "ViT-H-14": dict(
        hidden_size=1280, intermediate_size=5120, num_attention_heads=16, num_hidden_layers=32, patch_size=14, projection_dim=1024,
        hidden_act="gelu",
    ),
    "ViT-bigG-14": dict(
        hidden_size=1664, intermediate_size=8192, num_attention_heads=16, num_hidden_layers=48, patch_size=14, projection_dim=1280,
        hidden_act="gelu",
    ),
    "ViT-L-14": dict(
        hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=24, patch_size=14, projection_dim=768,
    ),
}  # fmt: skip


def names_as_users_have_them(weights):
    """Position numbers were stored by the releases with which the published files were written."""
    count = weights["vision_model.embeddings.position_embedding.weight"].shape[0]
    return weights | {"vision_model.embeddings.position_ids": torch.arange(count).unsqueeze(0)}


@torch.no_grad()
def make_tower(name, activation, seed):
    network = CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_act=activation, projection_dim=12, **TINY)).eval()
    randomize(network, seed)
    pixels = rand((2, 3, 24, 24), seed + 1)
    out = network(pixels, output_hidden_states=True)
    folder = os.path.join(FOLDER, name)
    network.save_pretrained(folder)
    path = os.path.join(folder, "model.safetensors")
    save_file({key: value.bfloat16() for key, value in names_as_users_have_them(load_file(path)).items()}, path)
    tensors = {"pixels": pixels, "embedding": out.image_embeds, "penultimate": out.hidden_states[-2]}
    save_file({key: value.contiguous() for key, value in tensors.items()}, os.path.join(folder, "io.safetensors"))


@torch.no_grad()
def make_whole(seed):
    text = dict(vocab_size=20, hidden_size=8, intermediate_size=8, num_attention_heads=1, num_hidden_layers=1, max_position_embeddings=5)
    network = CLIPModel(CLIPConfig(vision_config=TINY, text_config=text, projection_dim=12)).eval()
    randomize(network, seed)
    pixels = rand((1, 3, 24, 24), seed + 1)
    vision = network.vision_model(pixels, output_hidden_states=True)
    folder = os.path.join(FOLDER, "whole")
    network.save_pretrained(folder)
    tensors = {
        "pixels": pixels,
        "embedding": network.visual_projection(vision.pooler_output),
        "penultimate": vision.hidden_states[-2],
    }
    save_file({key: value.contiguous() for key, value in tensors.items()}, os.path.join(folder, "io.safetensors"))


def picture(height, width, seed):
    """Soft colours, hard edges and some noise."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [128 + 90 * numpy.sin(x / (5 + k) + seed) * numpy.cos(y / (7 - k)) for k in range(3)]
    stack = numpy.stack(planes, -1)
    stack[height // 4 : height // 2, width // 3 : width // 2] = (250, 10, 40)
    stack += numpy.random.default_rng(seed).normal(0, 8, stack.shape)
    return Image.fromarray(stack.clip(0, 255).astype(numpy.uint8))


def make_pictures():
    prepare = CLIPImageProcessor(size=24, crop_size=24)
    tensors = {}
    for i, (height, width) in enumerate([(61, 40), (50, 97), (24, 24), (13, 17), (24, 31)]):
        image = picture(height, width, i)
        tensors[f"picture{i}"] = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).unsqueeze(0).contiguous()
        tensors[f"pixels{i}"] = prepare(image, return_tensors="pt").pixel_values
    save_file(tensors, os.path.join(FOLDER, "pictures.safetensors"))


def make_names():
    for name, settings in REAL.items():
        with torch.device("meta"):
            network = CLIPVisionModelWithProjection(CLIPVisionConfig(image_size=224, **settings))
        folder = pathlib.Path(FOLDER)
        shapes = {key: ("F16", list(value.shape)) for key, value in network.state_dict().items()}
        shapes["vision_model.embeddings.position_ids"] = ("I64", [1, 257])
        write_list(folder / f"full_{name}.txt", shapes)
        network.config.to_json_file(folder / f"full_{name}.json")
        print(name, sum(p.numel() for p in network.parameters()))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    make_tower("exact", "gelu", 1)
    make_tower("quick", "quick_gelu", 2)
    make_whole(3)
    make_pictures()
    make_names()


if __name__ == "__main__":
    main()
