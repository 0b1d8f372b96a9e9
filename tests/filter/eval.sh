#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime eval`: scores of clips whose answers are known, the baselines it makes itself or is given, and what it refuses.

. "$(dirname "$0")/checks.sh"

# make_clip FILE FRAMES SOURCE [FILTER]: without loss.
make_clip() {
    "$ffmpeg" -v error -nostdin -y -f lavfi -i "$3" -frames:v "$2" ${4:+-vf "$4"} -c:v ffv1 -pix_fmt yuv420p "$1" || fail "clip $1" "not made"
}

# A picture that the camera moves over, ten frames a second.
scene='mandelbrot=s=480x360:r=10:end_scale=0.3:maxiter=200,select=eq(n\,0),loop=-1:1,setpts=N/10/TB'
make_clip "$tmp/in.mkv" 12 "$scene" "crop=128:96:20+4*n:30+2*n"
make_clip "$tmp/same.mkv" 12 "$scene" "crop=128:96:20+4*n:30+2*n,eq=brightness=0.1"
make_clip "$tmp/noisy.mkv" 12 "$scene" "crop=128:96:20+4*n:30+2*n,eq=brightness=0.1,noise=alls=24:allf=t"
make_clip "$tmp/short.mkv" 11 "$scene" "crop=128:96:20+4*n:30+2*n"
make_clip "$tmp/small.mkv" 12 "$scene" "crop=96:96:20+4*n:30+2*n"
make_clip "$tmp/black.mkv" 5 "color=black:s=64x48:r=10"
make_clip "$tmp/one.mkv" 1 "testsrc2=s=64x48:r=10"
make_clip "$tmp/cuts.mkv" 6 "testsrc2=s=96x96:r=10" "select=1,hue=h=90*n,rotate=n:bilinear=0"
echo "no video" >"$tmp/text.mkv"

try "a result without noise" 0 '^result against self/frame +warp 0\.[0-4]' eval "$tmp/in.mkv" "$tmp/same.mkv" \
    --self-frame "$tmp/noisy.mkv" --self-shared "$tmp/same.mkv" --faces 0 -o "$tmp/report.json" --plot "$tmp/plot.png"
says "is as good as the other baseline" '^result against self/shared +warp 1\.00x +flicker 1\.00x +style 1\.00x'
says "all columns are there" 'source +self/frame +self/shared +result$'
if python3 - "$tmp/report.json" <<'PYTHON'; then ok "numbers are as they should be"; else fail "numbers are as they should be" "$(head -c 800 "$tmp/report.json" 2>&1)"; fi
import json
import sys

report = json.load(open(sys.argv[1]), parse_constant=lambda text: sys.exit("no number of JSON: " + text))
assert report["frames"] == report["compared"] == report["clip_frames"] == 12 and report["width"] == 128, report
columns = report["over_compared"]
assert list(columns) == ["source", "self_frame", "self_shared", "result"]
assert columns["source"]["warp_error"] < 3 and columns["self_frame"]["flicker"] > 4 * columns["result"]["flicker"]
assert columns["source"]["style_distance"] is None and 3 < columns["result"]["style_distance"] < 30
assert columns["result"]["texture_follows"] > 0.9 and columns["self_frame"]["warp_ssim"] < columns["result"]["warp_ssim"]
assert columns["result"] == columns["self_shared"] == report["over_clip"]["result"]
frames = report["per_frame"]
assert frames["frame"] == list(range(12)) and set(frames["shot"]) == {0} and abs(frames["time"][3] - 0.3) < 1e-3
assert frames["columns"]["result"]["warp_error"][0] is None and frames["columns"]["result"]["warp_error"][1] > 0
PYTHON
case $(head -c 8 "$tmp/plot.png" 2>/dev/null | od -An -tx1 | tr -d ' \n') in
89504e470d0a1a0a) ok "the plot is a PNG" ;;
*) fail "the plot is a PNG" "it is not" ;;
esac

try "baselines are rendered" 0 '^12 of 12 frames .* over the first 3' eval "$tmp/in.mkv" "$tmp/noisy.mkv" --baseline 3 --steps 1 --faces 2
says "and scored" '^stylization distance +- +[0-9.]+ +[0-9.]+ +[0-9.]+ +- +[0-9.]+'
try "half of the frames" 0 '^6 of 12 frames' eval "$tmp/in.mkv" "$tmp/same.mkv" --fps 5 --baseline 0 --faces 0
try "all of them at the template's rate" 0 '^12 of 12 frames' eval "$tmp/in.mkv" "$tmp/same.mkv" --fps 5 --rate source --baseline 0 --faces 0
try "smaller" 0 '^12 of 12 frames at 64x48' eval "$tmp/in.mkv" "$tmp/same.mkv" --width 64 --baseline 0 --faces 0
try "a shorter baseline" 0 'over the first 11 of them' eval "$tmp/in.mkv" "$tmp/same.mkv" --self-frame "$tmp/short.mkv" --baseline 0 --faces 0
try "segments" 0 '^seam ratio, segments +[01]\.' eval "$tmp/in.mkv" "$tmp/same.mkv" --segment 4 --overlap 1 --baseline 0 --faces 0
try "borders" 0 '^seam ratio, borders +[01]\.' eval "$tmp/in.mkv" "$tmp/same.mkv" --borders 4,8 --baseline 0 --faces 0
try "black" 0 '^warp error +0\.000 +0\.000' eval "$tmp/black.mkv" "$tmp/black.mkv" --baseline 0 -o "$tmp/black.json"
try "one frame" 0 '^1 of 1 frames' eval "$tmp/one.mkv" "$tmp/one.mkv" --baseline 0 -o "$tmp/one.json" --plot "$tmp/one.png"
try "a cut every frame" 0 'shots' eval "$tmp/cuts.mkv" "$tmp/cuts.mkv" --baseline 0 -o "$tmp/cuts.json"
for name in black one cuts; do
    if python3 -c 'import json, sys; json.load(open(sys.argv[1]), parse_constant=lambda text: sys.exit(1))' "$tmp/$name.json"; then
        ok "$name has a report"
    else
        fail "$name has a report" "$(head -c 300 "$tmp/$name.json" 2>&1)"
    fi
done

try "fewer frames" 183 'the result has 11 frames, the source has 12' eval "$tmp/in.mkv" "$tmp/short.mkv"
try "another size" 183 "frames are 96x96, the source's 128x96" eval "$tmp/in.mkv" "$tmp/small.mkv"
try "no such video" 254 'no such video' eval "$tmp/in.mkv" "$tmp/none.mkv"
try "no video in it" 183 'no video in it' eval "$tmp/in.mkv" "$tmp/text.mkv"
try "no such template" 254 'none' eval "$tmp/in.mkv" "$tmp/same.mkv" --template none
try "one video" 234 'two videos are needed' eval "$tmp/in.mkv"
try "an unknown rate" 234 'neither generated nor source' eval "$tmp/in.mkv" "$tmp/same.mkv" --rate half
try "borders that are no numbers" 234 'not a list of frame numbers' eval "$tmp/in.mkv" "$tmp/same.mkv" --borders 4,x
try "an overlap as long as the window" 222 'not below the window' eval "$tmp/in.mkv" "$tmp/same.mkv" --window 4 --overlap 4
try "nowhere to write to" 254 'there is no such folder' eval "$tmp/in.mkv" "$tmp/same.mkv" -o "$tmp/none/report.json"
try "no CLIP" 254 'none' eval "$tmp/in.mkv" "$tmp/same.mkv" --baseline 0 --clip "$tmp/none.safetensors"

finish
