# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the autoencoders: tiny random configurations computed by diffusers in float32. Run: python3 make_autoencoder.py"""

import torch
from diffusers import AutoencoderKL, AutoencoderTiny

from tiny_networks import rand, randomize, save_case

KL = dict(
    block_out_channels=(4, 8),
    down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2,
    layers_per_block=1,
    latent_channels=2,
    norm_num_groups=2,
)
OLD_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def old_name(name):
    for new, old in OLD_NAMES.items():
        name = name.replace(new, old)
    return name


def save(name, network, seed, rename=lambda name: name, dtype=torch.float32):
    """Encodes and decodes as the diffusers pipelines do around the denoising loop."""
    randomize(network, seed)
    scale, shift = network.config.scaling_factor, network.config.shift_factor or 0
    picture = rand((2, 3, 16, 24), seed + 1, 0.5).clamp(-1, 1)
    encoded = network.encode(picture)
    latent = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    latent = (latent - shift) * scale
    noisy = latent + rand(latent.shape, seed + 2)
    decoded = network.decode(noisy / scale + shift).sample
    save_case(f"autoencoder/{name}", network, dict(picture=picture, encoded=latent, latent=noisy, decoded=decoded), rename, dtype)


@torch.no_grad()
def main():
    save("kl", AutoencoderKL(**KL).eval(), 10)
    save("kl_old_names", AutoencoderKL(**KL, scaling_factor=0.5).eval(), 20, old_name, torch.bfloat16)
    bare = dict(use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False)
    wide = dict(KL, block_out_channels=(4, 4, 8), down_block_types=("DownEncoderBlock2D",) * 3,
                up_block_types=("UpDecoderBlock2D",) * 3)
    save("kl_bare", AutoencoderKL(**wide, **bare, scaling_factor=0.36, shift_factor=0.11).eval(), 30, dtype=torch.bfloat16)
    tiny = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(6, 6, 6),
        num_encoder_blocks=(1, 2, 1),
        num_decoder_blocks=(2, 1, 1),
        scaling_factor=0.9,
        shift_factor=0.1,
    )
    save("tiny", tiny.eval(), 40)


if __name__ == "__main__":
    main()
