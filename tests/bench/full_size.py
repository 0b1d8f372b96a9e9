# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stable Diffusion 1.5 at its real size with random weights.

    full_size.py make DIR POCKET     a diffusers folder in float16, 2.1 GB; POCKET: the pack whose tokenizer it shares
    full_size.py run DIR --size 512 --threads N --prompt TEXT
                                     one denoising step and the decoder by diffusers in float32; prints JSON: seconds from the start of
                                     loading to the 8-bit picture, seconds of step and decoder alone, peak resident memory in MiB
"""

import argparse
import json
import pathlib
import resource
import shutil
import time

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


def make(folder, pocket):
    torch.manual_seed(0)
    folder = pathlib.Path(folder)
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, down_block_types=("DownEncoderBlock2D",) * 4,
                        up_block_types=("UpDecoderBlock2D",) * 4)
    text = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12))
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False,
                              set_alpha_to_one=False)
    StableDiffusionPipeline(vae.half(), text.half(), CLIPTokenizer.from_pretrained(f"{pocket}/tokenizer"), unet.half(), scheduler,
                            safety_checker=None, feature_extractor=None, requires_safety_checker=False).save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(f"{pocket}/tokenizer/{name}", folder / "tokenizer" / name)


@torch.inference_mode()
def run(args):
    torch.set_num_threads(args.threads)
    start = time.perf_counter()
    pipe = StableDiffusionPipeline.from_pretrained(args.folder, torch_dtype=torch.float32, safety_checker=None, local_files_only=True)
    pipe.unet.to(memory_format=torch.channels_last)
    pipe.vae.to(memory_format=torch.channels_last)
    pipe.set_progress_bar_config(disable=True)
    loaded = time.perf_counter()
    picture = pipe(args.prompt, height=args.size, width=args.size, num_inference_steps=1, guidance_scale=1.0, output_type="np").images
    (picture * 255).round().astype("uint8")
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": end - start, "step": end - loaded, "peak_mib": peak}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("make", "run"))
    parser.add_argument("folder")
    parser.add_argument("pocket", nargs="?")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", default="a girl in the rain")
    args = parser.parse_args()
    if args.verb == "make":
        make(args.folder, args.pocket)
    else:
        run(args)


if __name__ == "__main__":
    main()
