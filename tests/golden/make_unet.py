# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the U-Net: tiny random configurations computed by diffusers in float32. Run: python3 make_unet.py"""

import torch
from diffusers import UNet2DConditionModel

from tiny_networks import rand, randomize, save_case

CASES = {
    # Heads as one number under its historic name, 1x1 convolutions around the transformers, even and odd sizes.
    "heads": (
        dict(
            block_out_channels=(8, 12),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            attention_head_dim=2,
            cross_attention_dim=8,
            norm_num_groups=4,
        ),
        torch.bfloat16,
        [(2, 12, 8), (1, 9, 7)],
    ),
    # Everything that may be a list is one, linear layers around the transformers, the other time step layout.
    "lists": (
        dict(
            in_channels=5,
            out_channels=3,
            block_out_channels=(4, 8, 8),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=[1, 2, 1],
            transformer_layers_per_block=[1, 1, 2],
            attention_head_dim=[1, 4, 2],
            cross_attention_dim=[6, 6, 6],
            use_linear_projection=True,
            norm_num_groups=2,
            norm_eps=1e-6,
            flip_sin_to_cos=False,
            freq_shift=1,
        ),
        torch.bfloat16,
        [(2, 8, 12)],
    ),
    # A middle without attention, and none at all.
    "plain_mid": (
        dict(
            block_out_channels=(8, 8),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            mid_block_type="UNetMidBlock2D",
            layers_per_block=1,
            attention_head_dim=1,
            cross_attention_dim=8,
            norm_num_groups=8,
        ),
        torch.float32,
        [(2, 8, 8)],
    ),
    "no_mid": (
        dict(
            block_out_channels=(8, 8),
            down_block_types=("DownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "UpBlock2D"),
            mid_block_type=None,
            layers_per_block=2,
            attention_head_dim=1,
            cross_attention_dim=8,
            norm_num_groups=8,
        ),
        torch.bfloat16,
        [(1, 8, 8)],
    ),
    # The text in the time embedding too.
    "text_time": (
        dict(
            block_out_channels=(8, 12),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            attention_head_dim=2,
            cross_attention_dim=8,
            norm_num_groups=4,
            addition_embed_type="text",
            addition_embed_type_num_heads=4,
        ),
        torch.bfloat16,
        [(2, 8, 8)],
    ),
}


@torch.no_grad()
def main():
    for number, (name, (config, dtype, sizes)) in enumerate(CASES.items()):
        network = UNet2DConditionModel(**config).eval()
        randomize(network, 100 + number)
        tensors = {}
        for i, (batch, height, width) in enumerate(sizes):
            timestep = torch.tensor(float(37 + 400 * i))
            x = rand((batch, config.get("in_channels", 4), height, width), 200 + number + 10 * i)
            dim = config["cross_attention_dim"]
            text = rand((batch, 5, dim[0] if isinstance(dim, list) else dim), 300 + number + 10 * i)
            tensors |= {f"x{i}": x, f"text{i}": text, f"timestep{i}": timestep.reshape(1)}
            tensors[f"out{i}"] = network(x, timestep, text).sample
        save_case(f"unet/{name}", network, tensors, dtype=dtype)


if __name__ == "__main__":
    main()
