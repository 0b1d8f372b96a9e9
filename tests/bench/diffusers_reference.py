# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same pictures by Python diffusers: StableDiffusionControlNetPipeline on the pack, frames in batches.

    diffusers_reference.py --pack DIR --frames FILE --width W --height H --count N --dtype bfloat16 --batch 4 --channels-last

FILE is raw rgb24. Prints JSON: seconds for all pictures (text encoded, pictures scaled, sampled, decoded and brought to 8 bits;
importing and loading not counted), and the peak resident memory of the process in MiB. --tune runs a short trial of every batch
size and memory format instead and prints the seconds a picture of each.
"""

import argparse
import json
import resource
import time

import numpy as np
import torch
from diffusers import StableDiffusionControlNetPipeline, AutoencoderTiny, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", required=True)
    parser.add_argument("--frames", required=True)
    for name in ("width", "height", "count", "threads", "steps"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--dtype", choices=DTYPES, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--tune", action="store_true")
    return parser.parse_args()


def load(pack, dtype):
    def part(cls, name):
        return cls.from_pretrained(f"{pack}/{name}", torch_dtype=dtype).eval()

    pipe = StableDiffusionControlNetPipeline(
        vae=part(AutoencoderTiny, "vae"),
        text_encoder=CLIPTextModel.from_pretrained(f"{pack}/text_encoder", dtype=dtype).eval(),
        tokenizer=CLIPTokenizer.from_pretrained(f"{pack}/tokenizer"),
        unet=part(UNet2DConditionModel, "unet"),
        controlnet=part(ControlNetModel, "controlnet"),
        scheduler=DDIMScheduler.from_pretrained(f"{pack}/scheduler"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def set_format(pipe, channels_last):
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    for part in (pipe.unet, pipe.controlnet, pipe.vae):
        part.to(memory_format=memory_format)


@torch.inference_mode()
def generate(pipe, frames, batch, args):
    """Seconds for all frames."""
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for begin in range(0, len(frames), batch):
        part = frames[begin : begin + batch]
        hint = torch.from_numpy(part.astype(np.float32) / 255).permute(0, 3, 1, 2).to(pipe.unet.dtype)
        out = pipe(
            [args.prompt] * len(part),
            image=hint,
            height=args.height,
            width=args.width,
            num_inference_steps=args.steps,
            guidance_scale=1.0,
            generator=generator,
            output_type="pt",
        ).images
        assert out.shape[-2:] == (args.height, args.width)
        (out.float() * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    return time.perf_counter() - start


def tune(pipe, frames, args):
    trials = []
    for channels_last in (False, True):
        set_format(pipe, channels_last)
        for batch in (1, 2, 4, 8):
            generate(pipe, frames[:batch], batch, args)  # warms up
            count = max(batch, 4)
            seconds = generate(pipe, frames[:count], batch, args) / count
            trials.append({"batch": batch, "channels_last": channels_last, "seconds": seconds})
    return trials


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    shape = (args.count, args.height, args.width, 3)
    frames = np.fromfile(args.frames, dtype=np.uint8, count=int(np.prod(shape))).reshape(shape)
    pipe = load(args.pack, DTYPES[args.dtype])
    if args.tune:
        print(json.dumps({"trials": tune(pipe, frames, args)}))
        return
    set_format(pipe, args.channels_last)
    generate(pipe, frames[: args.batch], args.batch, args)  # warms up
    seconds = generate(pipe, frames, args.batch, args)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main()
