#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime train pack`: a pack of a few steps from a few pictures, stopped and gone on with, loaded by the filter's own command;
# and what it says of data it cannot use.

. "$(dirname "$0")/checks.sh"
unset AIANIME_ENGINE

mkdir -p "$tmp/data/pictures" "$tmp/empty/pictures" "$tmp/notes/pictures"
for i in 1 2 3; do
    "$ffmpeg" -v error -f lavfi -i "mandelbrot=size=320x240:start_scale=0.$i" -frames:v 1 "$tmp/data/pictures/$i.png"
done
echo "no picture" >"$tmp/data/pictures/notes.txt"
echo "no picture" >"$tmp/notes/pictures/notes.txt"

steps=(--pairs 4 --batch 1 --autoencoder-steps 6 --denoiser-steps 4 --distillation-steps 2
    --temporal-steps 2 --stages autoencoder,denoiser,distillation,temporal)
train() { # work, words...
    local work=$1
    shift
    timeout 300 "$command" train pack "$tmp/data" -o "$tmp/$work-pack" --work "$tmp/$work" --like "$root/models/pocket" "${steps[@]}" "$@" \
        >"$tmp/$work.log" 2>&1 </dev/null
}

train whole && ok "a pack of a few steps" || fail "a pack of a few steps" "$(tail -n 2 "$tmp/whole.log")"
for title in autoencoder denoiser distillation temporal; do
    if [ -s "$tmp/whole/$title.loss.png" ] && [ "$(wc -l <"$tmp/whole/$title.loss.csv")" -gt 1 ]; then
        ok "loss curve of the $title"
    else
        fail "loss curve of the $title" "missing"
    fi
done

# Stopped as soon as it trains.
stop_when 'pairs: 4 of 4' "$tmp/parts.log" TERM train pack "$tmp/data" -o "$tmp/parts-pack" --work "$tmp/parts" \
    --like "$root/models/pocket" "${steps[@]}"
is_resumable "a stop is answered" "$tmp/parts.log"
train parts && ok "a stopped run goes on" || fail "a stopped run goes on" "$(tail -n 2 "$tmp/parts.log")"
for file in unet vae controlnet cfa; do
    cmp -s "$tmp/whole-pack/$file/diffusion_pytorch_model.safetensors" "$tmp/parts-pack/$file/diffusion_pytorch_model.safetensors" &&
        ok "stopped or not, the $file is the same" || fail "stopped or not, the $file is the same" "differs"
done

try "the pack is whole" 0 'hashes|sha256|SHA-256|files' info "$tmp/whole-pack"
mkdir "$tmp/models"
cp -r "$tmp/whole-pack" "$tmp/models/pocket"
try "the pack renders" 0 '' image "$tmp/data/pictures/1.png" -o "$tmp/out.png" --models "$tmp/models" -t "$root/templates/pop.json" --size 128

try "no data" 254 'nowhere' train pack "$tmp/nowhere" -o "$tmp/x" --like "$root/models/pocket"
try "an empty folder" 183 'no picture' train pack "$tmp/empty" -o "$tmp/x" --like "$root/models/pocket"
try "a folder without pictures" 183 'no picture' train pack "$tmp/notes" -o "$tmp/x" --like "$root/models/pocket"
try "no shape" 254 'shape' train pack "$tmp/data" -o "$tmp/x" --like "$tmp/shape"
try "an unknown stage" 234 'autoencoder' train pack "$tmp/data" -o "$tmp/x" --stages autoencode
try "no output" 234 'PACK' train pack "$tmp/data"
try "other options on an old state" 234 'other options' train pack "$tmp/data" -o "$tmp/whole-pack" --work "$tmp/whole" \
    --like "$root/models/pocket" "${steps[@]}" --precision bf16

finish
