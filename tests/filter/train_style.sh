#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime train style`: a LoRA of a few steps on models/pocket from four pictures, stopped, killed and gone on with, loaded by the
# filter's own command and, where a Python has diffusers and peft ($AIANIME_PYTHON, else python3), by diffusers; and what it says of
# input it cannot use.

. "$(dirname "$0")/checks.sh"
unset AIANIME_ENGINE
python=${AIANIME_PYTHON:-python3}
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

picture() { # file, source, size
    mkdir -p "$(dirname "$1")"
    "$ffmpeg" -v error -y -f lavfi -i "$2=s=$3" -frames:v 1 "$1" || fail "picture $1" "could not be made"
}
for folder in data photos; do
    picture "$tmp/$folder/a.png" "$([ $folder = data ] && echo mandelbrot || echo testsrc2)" 160x120
    picture "$tmp/$folder/b.png" "$([ $folder = data ] && echo smptehdbars || echo testsrc)" 160x120
    picture "$tmp/$folder/deeper/c.jpg" "$([ $folder = data ] && echo testsrc2 || echo mandelbrot)" 128x128
    picture "$tmp/$folder/deeper/d.png" "$([ $folder = data ] && echo testsrc || echo smptehdbars)" 96x160
done
echo "a striped wall" >"$tmp/data/a.txt"
printf 'caf\351 scene' >"$tmp/data/b.txt"
echo "no picture" >"$tmp/data/e.png"
echo "notes" >"$tmp/data/readme.md"

common=("$tmp/data" --base "$root/models/pocket" --size 96 --rank 4 --conv-rank 2 --text-encoder on --trigger "striped style" --rate 1e-3 --sample-every 0)
style() { # name, words...
    local name=$1
    shift
    timeout 300 "$command" train style "${common[@]}" -o "$tmp/$name.safetensors" "$@" >"$tmp/log" 2>&1 </dev/null
}

style whole --sources "$tmp/photos" --steps 12 --sample-every 12 --samples 2
is "a style of a few steps" $? 0
says "what is no picture is named" 'e\.png.*left out'
says "a caption in Latin-1 is named" 'b\.txt: not UTF-8'
says "pictures are counted" '4 pictures .*2 with captions'
says "progress tells what is left" 'step 12 of 12, loss [0-9.]+, .* s a step, 0:00:00 left'
for file in style.loss.png style.loss.csv style.state.safetensors style.sample-000012.png; do
    [ -s "$tmp/whole.safetensors-work/$file" ] && ok "$file" || fail "$file" "missing"
done
try "what it is" 0 'dialect +kohya, diffusers block names' info "$tmp/whole.safetensors"

# Stopped as soon as it trains, killed a little later, then to the end. The file's name is in its metadata.
mkdir "$tmp/parts"
parts=(train style "${common[@]}" -o "$tmp/parts/whole.safetensors" --sources "$tmp/photos" --steps 12)
stop_when 'style: step' "$tmp/stop.log" TERM "${parts[@]}" --samples 2
is_resumable "a stop is answered" "$tmp/stop.log"
[ -e "$tmp/parts/whole.safetensors" ] && fail "half a style is not written" "it is there" || ok "half a style is not written"
stop_when 'style: goes on' "$tmp/kill.log" KILL "${parts[@]}"
style parts/whole --sources "$tmp/photos" --steps 12
is "a killed run goes on" $? 0
says "from its state" 'goes on at step [1-9]'
cmp -s "$tmp/whole.safetensors" "$tmp/parts/whole.safetensors" && ok "stopped or not, the same bytes" || fail "stopped or not, the same bytes" "differ"
cmp -s "$tmp/whole.safetensors-work/style.loss.csv" "$tmp/parts/whole.safetensors-work/style.loss.csv" &&
    ok "and the same losses" || fail "and the same losses" "differ"

# The filter's own command takes it.
mkdir "$tmp/models"
cp -r "$root/models/pocket" "$tmp/models/pocket"
cp "$tmp/whole.safetensors" "$tmp/models/style.safetensors"
cat >"$tmp/look.json" <<'JSON'
{"schema": 1, "model": {"base": "pocket", "loras": [{"file": "style.safetensors", "weight": 4}]}, "prompt": {"positive": "striped style"}}
JSON
sed 's/"loras": \[[^]]*\]/"loras": []/' "$tmp/look.json" >"$tmp/plain.json"
try "a picture with it" 0 '' image "$tmp/photos/a.png" -o "$tmp/with.png" --models "$tmp/models" -t "$tmp/look.json" --size 96
try "a picture without" 0 '' image "$tmp/photos/a.png" -o "$tmp/without.png" --models "$tmp/models" -t "$tmp/plain.json" --size 96
cmp -s "$tmp/with.png" "$tmp/without.png" && fail "it changes the picture" "it does not" || ok "it changes the picture"

style plain --steps 2 --save float16
is "without sources" $? 0
says "without sources is told" 'no --sources: .* is shown the pictures themselves'

try "other options on an old state" 234 'another --rank \(4, now 8\)' train style "${common[@]}" -o "$tmp/plain.safetensors" --steps 3 --rank 8
try "no folder" 254 'no such folder' train style "$tmp/none" -o "$tmp/x.safetensors"
mkdir "$tmp/empty"
try "an empty folder" 183 'no pictures in it' train style "$tmp/empty" -o "$tmp/x.safetensors"
cp "$tmp/data/e.png" "$tmp/empty"
try "nothing that can be read" 183 'no picture in it can be read' train style "$tmp/empty" -o "$tmp/x.safetensors"
rm "$tmp/photos/deeper/d.png"
try "a picture without its source" 254 'no picture "deeper/d"' train style "$tmp/data" --sources "$tmp/photos" -o "$tmp/x.safetensors"
try "no base" 254 'nowhere' train style "$tmp/data" --base nowhere -o "$tmp/x.safetensors"
try "no output" 234 'STYLE.safetensors are needed' train style "$tmp/data"
try "no folder for the output" 254 'no/x.safetensors' train style "$tmp/data" -o "$tmp/no/x.safetensors"
try "an unknown flag" 234 'did you mean "--rank"' train style "$tmp/data" -o "$tmp/x.safetensors" --rnk 4
try "a word that is none" 234 'none of off, on' train style "$tmp/data" -o "$tmp/x.safetensors" --flip maybe
try "a rank that is none" 222 'rank' train style "$tmp/data" -o "$tmp/x.safetensors" --rank 0
try "losses that are not finite" 223 'not finite' train style "$tmp/data" --base "$root/models/pocket" --size 96 -o "$tmp/x.safetensors" \
    --rate 10 --rank 64 --conv-rank 64 --alpha 100000 --conv-alpha 100000 --steps 300 --warmup 0 --sample-every 0
[ -e "$tmp/x.safetensors" ] && fail "nothing is written then" "it is there" || ok "nothing is written then"
# A disk that is full: nothing larger than 100 kB can be written.
(
    ulimit -f 100
    trap '' XFSZ
    style full --steps 2
)
status=$?
if [ $status != 0 ] && [ ! -e "$tmp/full.safetensors" ] && grep -q 'cannot be written' "$tmp/log"; then
    ok "a full disk"
else
    fail "a full disk" "exit $status: $(tail -n 2 "$tmp/log" | tr '\n' '|')"
fi

# Every tensor of the file must find its layer in diffusers, and the result must be the one of the merged weights.
if missing=$("$python" -c 'import diffusers, peft, safetensors, torch, transformers' 2>&1 | tail -n 1) && [ -n "$missing" ]; then
    echo "skipped: $python cannot load diffusers and peft ($missing); AIANIME_PYTHON names another"
else
    timeout 300 "$python" - "$root/models/pocket" "$tmp/whole.safetensors" >"$tmp/log" 2>&1 <<'PYTHON'
import sys

import torch
from diffusers import StableDiffusionControlNetPipeline
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file

pack, path = sys.argv[1:]
pipe = StableDiffusionControlNetPipeline.from_pretrained(pack, torch_dtype=torch.float32)
before = {"unet": dict(pipe.unet.named_parameters()), "te": dict(pipe.text_encoder.named_parameters())}
before = {part: {name: value.clone() for name, value in values.items()} for part, values in before.items()}
pipe.load_lora_weights(path)
layers = [m for part in (pipe.unet, pipe.text_encoder) for m in part.modules() if isinstance(m, BaseTunerLayer)]
file = load_file(path)
wanted = {name.split(".")[0] for name in file}
assert len(layers) == len(wanted), (len(layers), len(wanted))
pipe.fuse_lora()
pipe.unload_lora_weights()
checked = 0
for part, network in (("unet", pipe.unet), ("te", pipe.text_encoder)):
    for name, value in network.named_parameters():
        key = f"lora_{part}_" + name.rsplit(".", 1)[0].replace(".", "_")
        if part == "te" and "text_model" not in key:
            key = key.replace("lora_te_", "lora_te_text_model_")
        old = before[part][name]
        if not name.endswith(".weight") or key not in wanted:
            assert torch.equal(value, old), name
            continue
        down, up, alpha = (file[key + end] for end in (".lora_down.weight", ".lora_up.weight", ".alpha"))
        change = alpha / down.shape[0] * (up.flatten(1) @ down.flatten(1)).view_as(old)
        assert change.abs().max() > 0, name
        assert torch.allclose(value, old + change, atol=1e-5), name
        checked += 1
assert checked == len(wanted), (checked, len(wanted))
print(checked, "layers agree")
PYTHON
    is "diffusers loads it" $? 0
    says "every layer of it" "layers agree"
fi

finish
