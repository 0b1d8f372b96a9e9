# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole samplings by diffusers with the pack of golden_pack.py, in float32, for tests/test_denoiser.cpp. Needs diffusers, transformers, numpy.

    python3 tests/golden/make_denoiser.py

A picture is drawn by formula, noise comes from make_noise.py; everything else is diffusers' own pipelines. Stored: the picture, the
sampled latents and the decoded picture of each run.
"""

import os
import sys

import numpy as np
import torch
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, StableDiffusionControlNetImg2ImgPipeline,
                       StableDiffusionControlNetPipeline)
from safetensors.torch import save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from golden_pack import PACK, load  # noqa: E402
from make_noise import noise  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT, SEED = 96, 64, 11

RUNS = {
    # name: scheduler, steps, guidance, strength, prompt, negative
    "ddim": ("ddim", 4, 1.0, 1.0, "pop anime style", ""),
    "guided": ("ddim", 4, 3.0, 1.0, "ink manga style, a woman", "night anime style"),
    "image": ("dpmpp_2m", 6, 2.0, 0.6, "pastel anime style", "blurry"),
    "euler": ("euler", 4, 1.0, 1.0, "night anime style", ""),
}
SCHEDULERS = {"ddim": DDIMScheduler, "dpmpp_2m": DPMSolverMultistepScheduler, "euler": EulerDiscreteScheduler}


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    rgb = np.stack([0.5 + 0.4 * np.sin(x / 9), 0.5 + 0.4 * np.cos(y / 7 + x / 30), x / WIDTH], -1)
    rgb[((x - 40) ** 2 + (y - 30) ** 2) < 200] = (0.9, 0.7, 0.6)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float().contiguous()


def sample(parts, source, run):
    name, steps, guidance, strength, prompt, negative = run
    scheduler = SCHEDULERS[name].from_pretrained(PACK + "/scheduler")
    start = torch.from_numpy(noise(SEED, 0, 0, (parts["unet"].config.in_channels, HEIGHT // 4, WIDTH // 4)))[None]
    common = dict(prompt=prompt, negative_prompt=negative, num_inference_steps=steps, guidance_scale=guidance, output_type="latent",
                  controlnet_conditioning_scale=1.0)
    if strength == 1:
        pipe = StableDiffusionControlNetPipeline(scheduler=scheduler, **parts)
        # The pipelines assume a reduction by 8 and multiply the noise by the initial sigma.
        return pipe(image=source, latents=start, height=HEIGHT, width=WIDTH, **common).images
    pipe = StableDiffusionControlNetImg2ImgPipeline(scheduler=scheduler, **parts)
    pipe.scheduler.set_timesteps(steps)
    timesteps, _ = pipe.get_timesteps(steps, strength, "cpu")
    encoded = parts["vae"].encode(source * 2 - 1).latents * parts["vae"].config.scaling_factor
    pipe.prepare_latents = lambda *a, **k: scheduler.add_noise(encoded, start, timesteps[:1])
    return pipe(image=source, control_image=source, strength=strength, height=HEIGHT, width=WIDTH, **common).images


def main():
    torch.set_grad_enabled(False)
    parts, source = load(), picture()
    stored = {"picture": source}
    for key, run in RUNS.items():
        latents = sample(parts, source, run)
        stored[key + ".latents"] = latents.contiguous()
        stored[key + ".decoded"] = parts["vae"].decode(latents / parts["vae"].config.scaling_factor).sample.half().contiguous()
    os.makedirs(os.path.join(HERE, "denoiser"), exist_ok=True)
    save_file(stored, os.path.join(HERE, "denoiser", "runs.safetensors"))


if __name__ == "__main__":
    main()
