#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime train eval` on models/pocket: its table and its JSON hold measures of four small pictures; what cannot be measured is refused.

. "$(dirname "$0")/checks.sh"
pack=$root/models/pocket

eval_pack() { # pack, folder, flags...
    timeout 300 "$command" train eval "$@" >"$tmp/log" 2>&1
}

refused() { # name, exit, text, arguments...
    local code
    eval_pack "${@:4}"
    code=$?
    if [ $code = "$2" ] && grep -q -- "$3" "$tmp/log"; then ok "$1"; else fail "$1" "exit $code: $(tr '\n' '|' <"$tmp/log")"; fi
}

mkdir -p "$tmp/data/deeper" "$tmp/empty"
"$build/bin/ffmpeg" -v error -y -f lavfi -i testsrc2=s=160x120 -frames:v 1 "$tmp/data/a.png"
"$build/bin/ffmpeg" -v error -y -f lavfi -i mandelbrot=s=200x120 -frames:v 1 "$tmp/data/deeper/b.jpg"
"$build/bin/ffmpeg" -v error -y -f lavfi -i testsrc=s=128x128 -frames:v 1 "$tmp/data/deeper/d.png"
"$build/bin/ffmpeg" -v error -y -f lavfi -i smptehdbars=s=160x96 -frames:v 1 "$tmp/data/e.png"
echo "no picture" >"$tmp/data/c.png"
echo "notes" >"$tmp/empty/notes.txt"

eval_pack "$pack" "$tmp/data" --quick 1 --size 96 --frames 6 --steps 2 --rotate 0 -o "$tmp/report.json" --sheet "$tmp/sheet.png" ||
    fail "a run" "exit $?: $(tail -n 3 "$tmp/log" | tr '\n' '|')"
says "styles have rows" '^night +4 +[01]\.[0-9]{4} '
says "all pictures have one" '^all +16 '
says "the decoder is measured" '^decoder alone +[0-9.]+ dB'
says "so is the style probe" '^style probe +[0-9.]+ % of 16'
says "so is the colour cast" '^colour cast'
says "what is no picture is named" 'left out: .*c\.png'
says "fewer pictures than wanted" '4 pictures instead of 6'
if python3 - "$tmp/report.json" <<'PYTHON'; then ok "numbers are in range"; else fail "numbers are in range" "$(cat "$tmp/report.json" 2>&1)"; fi
import json
import sys

report = json.load(open(sys.argv[1]))
scores = list(report["styles"].values()) + [report["all"]]
assert list(report["styles"]) == ["pop", "ink", "pastel", "night"], report["styles"]
for score in scores:
    assert 0.05 < score["ssim"] < 0.999 and 0 < score["edge_f1"] < 0.999 and 5 < score["psnr"] < 60, score
assert abs(report["all"]["ssim"] - sum(s["ssim"] for s in scores[:4]) / 4) < 1e-4
assert 15 < report["decoder_psnr"] < 60 and 0.3 < report["probe"]["accuracy"] <= 1 and report["probe"]["ceiling"] > 0.6
assert report["probe"]["pictures"] == 16 and report["named_backdrop"]["asked"] + report["named_clothes"]["asked"] > 0
assert len(report["all"]["cast"]) == 3
assert 0 <= report["checkerboard"]["period4"] < 50 and 0 <= report["cast"] < 60 and "time" not in report
PYTHON
case $(head -c 8 "$tmp/sheet.png" 2>/dev/null | od -An -tx1 | tr -d ' \n') in
89504e470d0a1a0a) ok "the sheet is a PNG" ;;
*) fail "the sheet is a PNG" "it is not" ;;
esac

mkdir "$tmp/clips"
"$build/bin/ffmpeg" -v error -y -f lavfi -i testsrc2=s=128x96:r=10 -frames:v 12 -c:v libx264 -pix_fmt yuv420p "$tmp/clips/a.mp4"
eval_pack "$pack" "$tmp/clips" --quick 1 --size 64 --frames 2 --steps 1 --styles pop --clips 1 || fail "a clip" "exit $?"
says "frames of a clip" '^pop +2 '
says "what the content alone changes" '^open palette, content +[0-9.]+ dE between frames, [12] regions'
says "colours between frames" '^open palette, anchors +[0-9.]+ dE between frames, [12] regions'
says "one style cannot be probed" '^style probe +too few'

# A LoRA of rank 1 on one layer of the pack's own, in kohya's names.
python3 - "$pack/unet/diffusion_pytorch_model.safetensors" "$tmp/lora.safetensors" <<'PYTHON'
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
layer = next(name for name in sorted(header) if name.endswith("attn1.to_v.weight"))
rows, columns = header[layer]["shape"]
key = "lora_unet_" + layer[: -len(".weight")].replace(".", "_")
tensors, body = {}, b""
for name, shape in ((".lora_down.weight", [1, columns]), (".lora_up.weight", [rows, 1]), (".alpha", [])):
    numbers = [((i * 37) % 11 - 5) / 5 for i in range(max(shape, default=1))]
    data = struct.pack(f"<{len(numbers)}f", *numbers) if shape else struct.pack("<f", 100)
    tensors[key + name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(tensors).encode()
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + body)
PYTHON
eval_pack "$pack" "$tmp/data" --quick 1 --size 64 --frames 2 --steps 1 --styles pop --lora "$tmp/lora.safetensors" --like "$tmp/data" ||
    fail "a LoRA" "exit $?"
says "the LoRA's target" "^LoRA's target .* 0 % from the target, hues 0 %"
says "pictures without it" '^without the LoRA +luminance [0-9.]+, chroma [0-9.]+, lines [0-9.]+; [0-9]+ % from'
if [ "$(sed -n 's/^without the LoRA *//p' "$tmp/log")" != "$(sed -n 's/^with it *//p' "$tmp/log")" ]; then
    ok "pictures with it differ"
else
    fail "pictures with it differ" "$(grep -E '^with' "$tmp/log")"
fi
says "the composition" '^composition .* 2 pictures'

cp -r "$pack" "$tmp/cut"
truncate -s -1 "$tmp/cut/unet/diffusion_pytorch_model.safetensors"
refused "a pack whose files are not its own" 183 'SHA-256 differs' "$tmp/cut" "$tmp/data" --quick 1
rm "$tmp/cut/pack.json"
refused "a pack that is cut off" 183 'incomplete file' "$tmp/cut" "$tmp/data" --quick 1 --size 96
refused "no pack" 254 'none' "$tmp/none" "$tmp/data"
refused "a folder without pictures" 183 'no picture and no clip' "$pack" "$tmp/empty"
refused "no folder" 254 'no such folder' "$pack" "$tmp/none"
refused "nowhere to write to" 254 'there is no such folder' "$pack" "$tmp/data" -o "$tmp/none/report.json"
refused "an unknown style" 234 'did you mean "pastel"' "$pack" "$tmp/data" --styles pop,pastell
refused "steps out of range" 222 'steps' "$pack" "$tmp/data" --steps 0
refused "no LoRA" 254 'none' "$pack" "$tmp/data" --lora "$tmp/none"
refused "something like nothing" 234 'go with --lora' "$pack" "$tmp/data" --like "$tmp/data"
refused "one word" 234 'a pack and a folder' "$pack"
[ ! -e "$tmp/none" ] && ok "nothing was made" || fail "nothing was made" "$tmp/none is there"

finish
