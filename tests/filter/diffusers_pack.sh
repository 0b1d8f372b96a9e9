#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# models/pocket loads in Python diffusers as it is, and four steps there from the same noise give the picture that `aianime image` gives.
# Needs a Python with diffusers, transformers, torch and Pillow: $AIANIME_PYTHON, else python3; skipped without.

build=$(cd "${BUILD:-build}" && pwd) || exit 1
command=$build/bin/aianime
python=${AIANIME_PYTHON:-python3}
pack=$PWD/models/pocket
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset AIANIME_MODELS AIANIME_TEMPLATES
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

missing=$("$python" -c 'import diffusers, numpy, PIL, safetensors, torch, transformers' 2>&1 | tail -n 1)
if [ -n "$missing" ]; then
    echo "skipped: $python cannot load diffusers ($missing); AIANIME_PYTHON names another"
    exit 77
fi

"$build/bin/ffmpeg" -v error -y -f lavfi -i testsrc2=s=128x96 -frames:v 1 -pix_fmt rgb24 "$tmp/in.png" || exit 1
timeout 300 "$python" - "$pack" "$tmp" >"$tmp/python.log" 2>&1 <<'PYTHON'
import sys

import numpy as np
import torch
from diffusers import StableDiffusionControlNetPipeline
from PIL import Image
from safetensors.torch import save_file

pack, folder = sys.argv[1:]
pipe = StableDiffusionControlNetPipeline.from_pretrained(pack, torch_dtype=torch.float32)
picture = Image.open(folder + "/in.png").convert("RGB")
stride = pipe.vae_scale_factor
shape = (1, pipe.unet.config.in_channels, picture.height // stride, picture.width // stride)
noise = torch.randn(shape, generator=torch.Generator().manual_seed(3))
save_file({"noise": noise}, folder + "/noise.safetensors")
made = pipe("ink manga style", image=picture, latents=noise, num_inference_steps=4, guidance_scale=1.0, width=picture.width,
            height=picture.height, output_type="np").images[0]
Image.fromarray((made.clip(0, 1) * 255).round().astype(np.uint8)).save(folder + "/diffusers.png")
print("parameters of the U-Net", sum(p.numel() for p in pipe.unet.parameters()))
PYTHON
status=$?
if [ $status != 0 ]; then
    echo "FAIL the pack loads and runs in diffusers: exit $status: $(tail -n 3 "$tmp/python.log" | tr '\n' '|')"
    echo "0 passed, 1 failed"
    exit 1
fi
echo "ok the pack loads and runs in diffusers"

cat >"$tmp/look.json" <<'JSON'
{"schema": 1, "model": {"base": "pocket", "precision": "float32"}, "prompt": {"positive": "ink manga style"}}
JSON
timeout 120 "$command" image "$tmp/in.png" -o "$tmp/ours.png" -t "$tmp/look.json" --models "${pack%/*}" --noise "$tmp/noise.safetensors" \
    --steps 4 --size 0 >"$tmp/log" 2>&1
status=$?
psnr=$("$python" -c '
import sys
import numpy as np
from PIL import Image
a, b = (np.asarray(Image.open(path).convert("RGB"), dtype=np.float64) for path in sys.argv[1:])
assert a.shape == b.shape and a.std() > 10, (a.shape, b.shape, a.std())
print(round(-10 * np.log10(max(((a - b) ** 2).mean() / 255**2, 1e-10)), 2))' "$tmp/ours.png" "$tmp/diffusers.png" 2>"$tmp/error")
if [ $status = 0 ] && awk -v psnr="${psnr:-0}" 'BEGIN { exit !(psnr >= 35) }'; then
    echo "ok four steps agree: $psnr dB"
    echo "2 passed, 0 failed"
    exit 0
fi
echo "FAIL four steps agree: exit $status, '${psnr:-}' dB: $(cat "$tmp/log" "$tmp/error" | tail -n 3 | tr '\n' '|')"
echo "1 passed, 1 failed"
exit 1
