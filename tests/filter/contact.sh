#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `aianime contact`: the frames it picks, the layout, and what it says of videos it cannot show.

build=$(cd "${BUILD:-build}" && pwd) || exit 1
command=$build/bin/aianime
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
passed=0
failed=0

ff() { "$build/bin/ffmpeg" -v error -nostdin -y "$@"; }

check() { # name, what is, what should be
    if [ "$2" = "$3" ]; then
        echo "ok $1"
        passed=$((passed + 1))
    else
        echo "FAIL $1: '$2' instead of '$3'"
        failed=$((failed + 1))
    fi
}

# try NAME STATUS PATTERN WORDS...
try() {
    local name=$1 status=$2 pattern=$3 got
    shift 3
    timeout 60 "$command" contact "$@" >log 2>&1 </dev/null
    got=$?
    grep -Eq -- "$pattern" log && pattern=found
    check "$name" "$got, pattern $pattern" "$status, pattern found"
}

# Of a rectangle of a picture, or of a frame of a video, as 24-bit colours.
hash_of() { # file, filter
    ff -i "$1" -vf "$2" -frames:v 1 -pix_fmt rgb24 -f rawvideo - | sha256sum
}

# FFV1 keeps every pixel; the pictures are as wide as a cell, so that nothing is scaled.
ff -f lavfi -i testsrc2=size=160x90:rate=10:duration=4 -pix_fmt bgr0 -c:v ffv1 source.mkv || exit 1
ff -i source.mkv -vf negate -c:v ffv1 result.mkv || exit 1
ff -i source.mkv -frames:v 10 -c:v ffv1 short.mkv || exit 1
ff -i source.mkv -vf scale=64:64,setsar=16/9 -c:v ffv1 squeezed.mkv || exit 1
ff -f lavfi -i sine=duration=1 -c:a pcm_s16le sound.wav || exit 1

try "sheet of eight" 0 'sheet.png: 8 pairs' source.mkv result.mkv -o sheet.png --width 160
margin=12 label=24
check "its size" "$("$build/bin/ffprobe" -v error -show_entries stream=width,height -of csv=p=0 sheet.png)" \
    "$((margin + 4 * (160 + margin))),$((margin + 2 * (180 + label + margin)))"
# The sixth pair (second column of the second row) is frame (2 * 5 + 1) * 40 / 16 = 27.
x=$((margin + 160 + margin)) y=$((margin + 180 + label + margin))
check "frame above" "$(hash_of sheet.png crop=160:90:$x:$y)" "$(hash_of source.mkv "select=eq(n\,27)")"
check "frame below" "$(hash_of sheet.png crop=160:90:$x:$((y + 90)))" "$(hash_of result.mkv "select=eq(n\,27)")"

try "fewer frames than asked for" 0 '10 pairs' short.mkv short.mkv -o ten.png --count 12
try "lengths differ" 0 'source has 40 frames, the result 10' source.mkv short.mkv -o both.png
try "columns" 0 '3 pairs' source.mkv result.mkv -o tall.png --count 3 --columns 1 --width 160
check "one below the other" "$("$build/bin/ffprobe" -v error -show_entries stream=width,height -of csv=p=0 tall.png)" \
    "$((2 * margin + 160)),$((margin + 3 * (180 + label + margin)))"
try "pixels that are not square" 0 '1 pairs' squeezed.mkv squeezed.mkv -o wide.png --count 1 --width 160
check "come out square" "$("$build/bin/ffprobe" -v error -show_entries stream=width,height -of csv=p=0 wide.png)" \
    "$((2 * margin + 160)),$((2 * margin + 180 + label))"
cp source.mkv "./-i a:b'\"\$(touch owned);.mkv"
try "hostile name" 0 '8 pairs' "./-i a:b'\"\$(touch owned);.mkv" result.mkv -o odd.png
check "was not run" "$([ -e owned ] && echo owned)" ""

try "no video there" 254 'nothere.mkv: no such video' nothere.mkv result.mkv -o x.png
try "no result there" 254 'nothere.mkv: no such video' source.mkv nothere.mkv -o x.png
try "sound only" 183 'sound.wav: ffmpeg finds no video' sound.wav result.mkv -o x.png
head -c 3000 /dev/zero >zeros.mkv
try "no video file" 183 'zeros.mkv: ffmpeg finds no video' source.mkv zeros.mkv -o x.png
try "one video" 234 'two videos' source.mkv -o x.png
try "no output" 234 '-o SHEET.png' source.mkv result.mkv
try "unknown extension" 234 'extension' source.mkv result.mkv -o x.foo
try "folder is missing" 251 'cannot be written' source.mkv result.mkv -o none/x.png
try "no frames asked for" 222 'between 1 and 256' source.mkv result.mkv -o x.png --count 0
try "unknown flag" 234 'rows' source.mkv result.mkv -o x.png --rows 3
check "nothing was left by failures" "$(ls x.* 2>/dev/null)" ""

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
