#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime image --noise`: the seed's own noise as a file gives the seed's picture, whatever the seed; files that do not fit are
# refused. Python's logarithms and products round otherwise in the last bit, so the pictures are the same to 40 dB, not to the bit.

. "$(dirname "$0")/checks.sh"

# image OUT [flags...]: the picture with one step at 64x32.
image() {
    timeout 120 "$command" image "$tmp/in.png" -o "$tmp/$1" --prompt "pop anime, new colors" --steps 1 --size 32 "${@:2}" >"$tmp/log" 2>&1
}

refused() { # name, exit, text, file
    image x.png --noise "$4"
    local code=$?
    if [ $code = "$2" ] && grep -q -- "$3" "$tmp/log"; then ok "$1"; else fail "$1" "exit $code: $(tr '\n' '|' <"$tmp/log")"; fi
}

decibels() { # PNG, PNG: their PSNR, 1000 where they are the same
    local found
    found=$("$build/bin/ffmpeg" -v info -i "$tmp/$1" -i "$tmp/$2" -lavfi psnr -f null - 2>&1 | sed -n 's/.*average:\([^ ]*\).*/\1/p')
    echo "${found/inf/1000}"
}

read -r channels offset <<<"$(python3 -c '
import json
print(json.load(open("models/pocket/vae/config.json"))["latent_channels"],
      json.load(open("models/pocket/pack.json"))["defaults"].get("noise_offset", 0))')"

# noise FILE SEED NAME SIDES...: the noise that the seed draws for a picture (Philox4x32-10, Box-Muller), as diffusion/noise.h says.
noise() {
    python3 - "$tmp/$1" "$offset" "${@:2}" <<'PYTHON'
import json
import math
import struct
import sys

path, offset, seed, name, *shape = sys.argv[1:]
offset, seed, shape = float(offset), int(seed), [int(side) for side in shape]
count = math.prod(shape)

def block(number, stream):
    c, key = [number, 0, 0, stream], [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ key[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ key[1], a & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    for first, second in (c[:2], c[2:]):
        radius, angle = math.sqrt(-2 * math.log((first + 1) / 2**32)), 2 * math.pi * second / 2**32
        yield from (radius * math.cos(angle), radius * math.sin(angle))

def normal(count, stream):
    return [number for i in range((count + 3) // 4) for number in block(i, stream)][:count]

area = math.prod(shape[-2:])
offsets = normal(count // area, 2**32 - 1)
numbers = [number + offset * offsets[i // area] for i, number in enumerate(normal(count, 0))]
header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
with open(path, "wb") as out:
    out.write(len(header).to_bytes(8, "little") + header + struct.pack(f"<{count}f", *numbers))
PYTHON
}

"$build/bin/ffmpeg" -v error -y -f lavfi -i testsrc2=s=64x32 -frames:v 1 "$tmp/in.png"
noise seven.safetensors 7 noise 2 "$channels" 8 16
image seed.png --seed 7 || fail "a run" "$(cat "$tmp/log")"
image other.png --seed 8
image file.png --seed 8 --noise "$tmp/seven.safetensors" || fail "a run with noise" "$(cat "$tmp/log")"
seeds=$(decibels seed.png other.png)
same=$(decibels seed.png file.png)
if awk -v d="$seeds" 'BEGIN { exit !(d < 35) }'; then ok "seeds differ"; else fail "seeds differ" "$seeds dB"; fi
if awk -v d="$same" 'BEGIN { exit !(d >= 40) }'; then ok "the seed's noise as a file"; else fail "the seed's noise as a file" "$same dB"; fi

refused "no such file" 254 'none' "$tmp/none"
noise small.safetensors 7 x 1 "$channels" 8 8
refused "of another size" 183 "the noise of a frame is ${channels}x8x8, this run.s latents are ${channels}x8x16" "$tmp/small.safetensors"
noise flat.safetensors 7 x "$channels" 8 16
refused "of three sides" 183 'initial noise is \[frames, channels, height, width\]' "$tmp/flat.safetensors"
printf '\200\002}.' >"$tmp/n.pt"
refused "a pickle" 243 'convert_pickle.py' "$tmp/n.pt"

finish
