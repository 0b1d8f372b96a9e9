#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime faces` on pictures and videos.

. "$(dirname "$0")/checks.sh"
ff() { "$ffmpeg" -v error -nostdin -y "$@"; }
value() { python3 -c "import json,sys;d=json.load(open(sys.argv[1]));print($2)" "$1"; }

face=$root/tests/golden/face/astronaut.png
ff -f lavfi -i color=gray:size=640x480:rate=10:duration=3 -i "$face" \
    -filter_complex "[1]scale=400:-2[f];[0][f]overlay=20+4*n:30,format=yuv444p" -c:v ffv1 "$tmp/moving.mkv" || exit 1
ff -i "$face" -vf "scale=300:-2,pad=320:320:0:0:gray" "$tmp/left.png"
ff -i "$tmp/left.png" -i "$tmp/left.png" -filter_complex "[1]hflip[r];[0][r]hstack" "$tmp/two.png"
ff -f lavfi -i color=black:size=320x180:rate=10:duration=1 -c:v ffv1 "$tmp/black.mkv"
ff -f lavfi -i mandelbrot=size=640x480:rate=10:start_scale=0.3 -t 1 -c:v ffv1 "$tmp/other.mkv"
ff -i "$tmp/moving.mkv" -i "$tmp/other.mkv" -filter_complex "[0]setsar=1,format=yuv444p[a];[1]setsar=1,format=yuv444p[b];[a][b]concat" \
    -c:v ffv1 "$tmp/cut.mkv"
ff -f lavfi -i testsrc2=size=200x200 -frames:v 1 "$tmp/none.png"
ff -f lavfi -i color=red:size=1x1 -frames:v 1 "$tmp/dot.png"
ff -i "$face" -vf vflip "$tmp/down.png"
echo "not a picture" >"$tmp/text.png"

try "a picture" 0 'face 0 at .*female 0\.[0-9]+, [0-9]+ years, eyes open, mouth .*, happy' faces "$face"
"$command" faces "$tmp/two.png" --format json >"$tmp/two.json"
is "two faces" "$(value "$tmp/two.json" 'len(d["files"][0]["faces"])')" 2
is "a face's fields" "$(value "$tmp/two.json" '" ".join(d["files"][0]["faces"][0])')" \
    "box score gender male age eyes mouth expression"

try "a video" 0 'track 0, 0.00 to 2.90 s, in 8 of 8 pictures: female' faces "$tmp/moving.mkv" -o "$tmp/sheet.png"
is "the sheet" "$("$build/bin/ffprobe" -v error -show_entries stream=width -of csv=p=0 "$tmp/sheet.png")" $((4 * 492 + 12))
"$command" faces "$tmp/cut.mkv" --fps 2 --format json >"$tmp/cut.json"
is "shots" "$(value "$tmp/cut.json" '[(s["first_frame"],s["frames"],s["pictures"],len(s["tracks"])) for s in d["files"][0]["shots"]]')" \
    "[(0, 30, 6, 1), (30, 10, 2, 0)]"
is "a track's fields" "$(value "$tmp/cut.json" '" ".join(d["files"][0]["shots"][0]["tracks"][0])')" \
    "track gender male age sightings first last height changes"

ff -loop 1 -i "$face" -vf "scale=120:120,tile=8x5" -frames:v 1 "$tmp/forty.png"
ff -loop 1 -i "$tmp/forty.png" -t 1 -r 5 -pix_fmt yuv444p -c:v ffv1 "$tmp/forty.mkv"
ff -i "$face" -vf "scale=400:-2,crop=220:400:0:0,pad=640:480:420:40:gray" "$tmp/border.png"
ff -i "$face" -vf edgedetect "$tmp/drawing.png"
ff -f lavfi -i testsrc2=size=16x4096 -frames:v 1 "$tmp/thin.png"
"$command" faces "$tmp/forty.png" --format json >"$tmp/forty.json"
is "forty faces" "$(value "$tmp/forty.json" 'len(d["files"][0]["faces"])')" 40
"$command" faces "$tmp/forty.mkv" --format json >"$tmp/forty.json"
is "forty tracks" "$(value "$tmp/forty.json" '[len(s["tracks"]) for s in d["files"][0]["shots"]]')" "[40]"
try "at the border" 0 'border.png' faces "$tmp/border.png"
try "a drawing" 0 'drawing.png' faces "$tmp/drawing.png"
try "a thin one" 0 'thin.png' faces "$tmp/thin.png" -o "$tmp/thin.out.png"
# Of these networks only the form is real, see tests/golden/make_opencv_faces.py.
onnx=$root/tests/golden/opencv_faces
try "another detector" 0 'astronaut.png' faces "$face" --detector "$onnx/cells.onnx"
try "another recognizer" 0 'female' faces "$face" --recognizer "$onnx/recognizer.onnx"
try "a detector that is none" 183 'is not a YuNet' faces "$face" --detector "$onnx/recognizer.onnx"
try "a recognizer that is none" 183 'is not an SFace' faces "$face" --recognizer "$tmp/text.png"
try "a detector that is not there" 254 'no such file' faces "$face" --detector "$tmp/none.onnx"

try "nobody" 0 'none.png' faces "$tmp/none.png"
try "one pixel" 0 'dot.png' faces "$tmp/dot.png" -o "$tmp/dot.out.png"
try "upside down" 0 'down.png' faces "$tmp/down.png"
try "black" 0 'shot 0, frames 0 to 9' faces "$tmp/black.mkv"
try "no picture" 183 'text.png' faces "$tmp/text.png"
try "the others are looked at" 183 'face 0 at' faces "$tmp/text.png" "$face"
try "not there" 254 'none.mkv' faces "$tmp/none.mkv"
try "nothing given" 234 'at least one' faces
try "a wrong format" 234 'neither text nor json' faces "$face" --format xml
try "heads that are none" 183 'two.json' faces "$face" --heads "$tmp/two.json"

media=$root/../shared/media
if [ -d "$media" ]; then
    for clip in cottonbro koolshooters music; do
        "$command" faces "$media/$clip.mp4" --fps 2 --format json >"$tmp/clip.json"
        is "$clip: one person, one track" \
            "$(value "$tmp/clip.json" '[[t["gender"] for t in s["tracks"]] for s in d["files"][0]["shots"]]')" "[['female']]"
    done
else
    echo "skip real clips: ../shared/media is not there"
fi
finish
