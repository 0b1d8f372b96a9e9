# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the ControlNet and of a U-Net under its control, computed by diffusers in float32. Run: python3 make_controlnet.py"""

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from tiny_networks import rand, randomize, save_case

SHARED = dict(
    block_out_channels=(8, 12),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
    layers_per_block=1,
    cross_attention_dim=8,
    norm_num_groups=4,
)


@torch.no_grad()
def main():
    control = ControlNetModel(**SHARED, num_attention_heads=(1, 4), attention_head_dim=2, use_linear_projection=True,
                              conditioning_channels=2, conditioning_embedding_out_channels=(4, 6, 8)).eval()
    unet = UNet2DConditionModel(**SHARED, up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=(1, 4)).eval()
    randomize(control, 1)
    randomize(unet, 2)
    timestep = torch.tensor(251.0)
    x, text, hint = rand((2, 4, 8, 12), 3), rand((2, 5, 8), 4), rand((2, 2, 32, 48), 5)

    embedded = control.controlnet_cond_embedding(hint)
    down, mid = control(x, timestep, text, hint, return_dict=False)
    tensors = {"x": x, "text": text, "hint": hint, "timestep": timestep.reshape(1), "embedded": embedded, "mid": mid}
    tensors |= {f"down{i}": residual for i, residual in enumerate(down)}
    save_case("controlnet/control", control, tensors, dtype=torch.bfloat16)

    scaled = [0.7 * residual for residual in down], 0.7 * mid
    out = unet(x, timestep, text, down_block_additional_residuals=scaled[0], mid_block_additional_residual=scaled[1]).sample
    save_case("controlnet/unet", unet, {"out": out}, dtype=torch.bfloat16)

    # A middle without attention.
    plain = ControlNetModel(**SHARED, attention_head_dim=2, mid_block_type="UNetMidBlock2D",
                            conditioning_embedding_out_channels=(4, 8)).eval()
    randomize(plain, 6)
    hint = rand((2, 3, 16, 24), 7)
    down, mid = plain(x, timestep, text, hint, return_dict=False)
    tensors = {"x": x, "text": text, "hint": hint, "timestep": timestep.reshape(1), "mid": mid}
    tensors["embedded"] = plain.controlnet_cond_embedding(hint)
    tensors |= {f"down{i}": residual for i, residual in enumerate(down)}
    save_case("controlnet/plain_mid", plain, tensors, dtype=torch.bfloat16)

    # The text in the time embedding too.
    texted = ControlNetModel(**SHARED, attention_head_dim=2, conditioning_embedding_out_channels=(4, 8),
                             addition_embed_type="text", addition_embed_type_num_heads=2).eval()
    randomize(texted, 8)
    down, mid = texted(x, timestep, text, hint, return_dict=False)
    tensors = {"x": x, "text": text, "hint": hint, "timestep": timestep.reshape(1), "mid": mid}
    tensors["embedded"] = texted.controlnet_cond_embedding(hint)
    tensors |= {f"down{i}": residual for i, residual in enumerate(down)}
    save_case("controlnet/text_time", texted, tensors, dtype=torch.bfloat16)


if __name__ == "__main__":
    main()
