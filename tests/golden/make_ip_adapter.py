# SPDX-License-Identifier: LGPL-2.1-or-later
"""IP-Adapters by diffusers, for tests/test_ip_adapter.cpp.

    python3 tests/golden/make_ip_adapter.py

Writes ip_adapter/unet/ (a tiny U-Net; io.safetensors holds the inputs and what comes out with each adapter), ip_adapter/tower/ (a tiny
picture encoder), ip_adapter/<kind>.safetensors (tiny random adapters as users have them) and ip_adapter/full_<kind>.txt (names and shapes
of the published files for Stable Diffusion 1.5; diffusers takes each list whole into its U-Net of that size).

Pictures go the whole way of diffusers' pipeline: CLIPImageProcessor, CLIPVisionModelWithProjection, load_ip_adapter(),
prepare_ip_adapter_image_embeds(), set_ip_adapter_scale(), UNet2DConditionModel.
"""

import os
import pathlib

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders import IPAdapterMixin
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from make_clip_vision import picture
from synthetic import write_list
from tiny_networks import rand, randomize, save_case

FOLDER = pathlib.Path(__file__).parent / "ip_adapter"
WIDTH, TOWER_WIDTH, PROJECTION = 8, 16, 12
UNET = dict(
    block_out_channels=(8, 12, 8),
    down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    layers_per_block=1,
    attention_head_dim=2,
    cross_attention_dim=WIDTH,
    norm_num_groups=4,
)
TOWER = dict(hidden_size=TOWER_WIDTH, intermediate_size=24, num_attention_heads=2, num_hidden_layers=3, image_size=24, patch_size=8,
             projection_dim=PROJECTION, hidden_act="gelu")  # fmt: skip


class Pipeline(IPAdapterMixin):
    """The part of a pipeline that concerns IP-Adapters."""

    encode_image = StableDiffusionPipeline.encode_image
    prepare = StableDiffusionPipeline.prepare_ip_adapter_image_embeds

    def __init__(self, unet, image_encoder):
        self.unet, self.image_encoder, self.feature_extractor, self.unet_name = unet, image_encoder, None, "unet"

    def register_modules(self, **modules):
        self.__dict__.update(modules)


def base_shapes(width, projection, tokens=4):
    return {"proj.weight": [tokens * width, projection], "proj.bias": [tokens * width], "norm.weight": [width], "norm.bias": [width]}


def full_shapes(width, features):
    return {
        "proj.0.weight": [features, features], "proj.0.bias": [features], "proj.2.weight": [width, features], "proj.2.bias": [width],
        "proj.3.weight": [width], "proj.3.bias": [width],
    }  # fmt: skip


def plus_shapes(width, features, channels, heads, queries):
    shapes = {
        "latents": [1, queries, channels], "proj_in.weight": [channels, features], "proj_in.bias": [channels],
        "proj_out.weight": [width, channels], "proj_out.bias": [width], "norm_out.weight": [width], "norm_out.bias": [width],
    }  # fmt: skip
    for i in range(4):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"layers.{i}.{norm}.weight": [channels], f"layers.{i}.{norm}.bias": [channels]}
        shapes |= {
            f"layers.{i}.0.to_q.weight": [64 * heads, channels], f"layers.{i}.0.to_kv.weight": [128 * heads, channels],
            f"layers.{i}.0.to_out.weight": [channels, 64 * heads], f"layers.{i}.1.1.weight": [4 * channels, channels],
            f"layers.{i}.1.3.weight": [channels, 4 * channels],
        }  # fmt: skip
    return shapes


def adapter_shapes(unet, projection):
    """The published layout. Odd numbers are the cross-attention layers among all of diffusers' attention processors."""
    shapes = {"image_proj." + name: shape for name, shape in projection.items()}
    modules = dict(unet.named_modules())
    for number, name in enumerate(unet.attn_processors):
        if "attn2" in name:
            to_k = modules[name.removesuffix(".processor")].to_k
            for kind in "kv":
                shapes[f"ip_adapter.{number}.to_{kind}_ip.weight"] = [to_k.out_features, to_k.in_features]
    return shapes


def random_weights(shapes, seed):
    """As randomize() in tiny_networks.py."""
    weights = {}
    for i, (name, shape) in enumerate(shapes.items()):
        noise = rand(shape, 1000 * seed + i)
        if len(shape) > 1 and name != "image_proj.latents":
            noise *= shape[1] ** -0.5
        elif name.endswith("weight"):
            noise = 1 + 0.2 * noise
        elif name.endswith("bias"):
            noise *= 0.2
        weights[name] = noise.half()
    return weights


def fresh_unet():
    unet = UNet2DConditionModel(**UNET).eval()
    randomize(unet, 1)
    return unet


@torch.no_grad()
def make_runs():
    torch.manual_seed(0)
    tower = CLIPVisionModelWithProjection(CLIPVisionConfig(**TOWER)).eval()
    randomize(tower, 2)
    tower.save_pretrained(FOLDER / "tower")
    unet = fresh_unet()
    kinds = {
        "base": base_shapes(WIDTH, PROJECTION),
        "plus": plus_shapes(WIDTH, TOWER_WIDTH, 16, 2, 3),
        "full-face": full_shapes(WIDTH, TOWER_WIDTH),
    }
    for seed, (kind, projection) in enumerate(kinds.items()):
        save_file(random_weights(adapter_shapes(unet, projection), seed), FOLDER / f"{kind}.safetensors")

    pictures = [picture(24, 24, 1), picture(24, 24, 2)]
    x, text, timestep = rand((2, 4, 8, 12), 3), rand((2, 5, WIDTH), 4), torch.tensor(437.0)
    tensors = {"x": x, "text": text, "timestep": timestep.reshape(1), "alone": unet(x, timestep, text).sample}
    tensors["pictures"] = torch.cat([pixels(each) for each in pictures])
    runs = {
        "base": (["base"], 1.0, [pictures[0]]),
        "plus": (["plus"], 1.0, [pictures[0]]),
        "full-face": (["full-face"], 1.0, [pictures[0]]),
        "parts": (["base"], {"down": 0.25, "mid": 1.5, "up": 0.0}, [pictures[1]]),
        "two_pictures": (["plus"], 0.6, [pictures]),
        "two_adapters": (["base", "full-face"], [0.5, 0.75], [pictures[0], pictures[1]]),
    }
    for name, (adapters, scale, shown) in runs.items():
        pipeline = Pipeline(fresh_unet(), tower)
        pipeline.load_ip_adapter(str(FOLDER), "", [each + ".safetensors" for each in adapters], image_encoder_folder=None)
        pipeline.set_ip_adapter_scale(scale)
        embeds = pipeline.prepare(shown, None, "cpu", 1, True)
        added = {"image_embeds": embeds}
        tensors[name] = pipeline.unet(x, timestep, text, added_cond_kwargs=added).sample
        assert (tensors[name] - tensors["alone"]).abs().max() > 0.05
    save_case("ip_adapter/unet", unet, tensors, dtype=torch.bfloat16)


def pixels(image: Image.Image):
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return data.reshape(1, image.height, image.width, 3).permute(0, 3, 1, 2) / 255


def make_names():
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768)  # diffusers' defaults are else those of Stable Diffusion 1.5
    kinds = {
        "base": base_shapes(768, 1024),
        "vit-G": base_shapes(768, 1280),
        "plus": plus_shapes(768, 1280, 768, 12, 16),
        "full-face": full_shapes(768, 1280),
    }
    for kind, projection in kinds.items():
        shapes = adapter_shapes(unet, projection)
        state = {"image_proj": {}, "ip_adapter": {}}
        for name, shape in shapes.items():
            part, rest = name.split(".", 1)
            state[part][rest] = torch.empty(shape, device="meta")
        with torch.device("meta"):
            unet._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
        write_list(FOLDER / f"full_{kind}.txt", {name: ("F16", shape) for name, shape in shapes.items()})
        count = sum(torch.Size(shape).numel() for shape in shapes.values())
        print(kind, len(shapes), count, f"{2 * count / 1e6:.1f} MB")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    make_runs()
    make_names()


if __name__ == "__main__":
    main()
