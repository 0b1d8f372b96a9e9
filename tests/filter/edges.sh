#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What frames share when there is nothing to share: stills, cuts, black, noise, motion that no flow follows (reliability D, B15).
. "$(dirname "$0")/lib.sh"
export AIANIME_ENGINE=$BUILD/lib/libaianime.so.1
root=$(cd "$(dirname "$0")/../.." && pwd)
LIMIT=300 # networks on a busy machine
small=size=32:steps=1:segment=8:window=4:overlap=1

# look NAME JSON: $tmp/NAME.json, the template `pop` with this "coherence".
look() {
    sed "s/\"coherence\": *{[^}]*}/\"coherence\": $2/" "$root/templates/pop.json" >"$tmp/$1.json"
    grep -qF "$2" "$tmp/$1.json" || fail "template $1" "not made"
}

# --- any picture comes out, as many as went in -----------------------------------------------------------------------

still='testsrc2=s=64x48:r=10,select=eq(n\,0),loop=-1:1,setpts=N/10/TB'
wild='testsrc2=s=128x96:r=10,select=eq(n\,0),loop=-1:1,setpts=N/10/TB'
for mode in flow anchors window; do
    look $mode "{\"attention\": \"$mode\", \"fusion\": 2}"
    clips=("one frame|1|$still" "the same again and again|9|$still" "black|9|color=black:s=64x48:r=10" "white|9|color=white:s=64x48:r=10"
        "noise|9|nullsrc=s=64x48:r=10,geq=random(1)*255:128:128" "jumps by half a picture|9|$wild,scroll=h=0.5:v=0.3,crop=64:48")
    for clip in "${clips[@]}"; do
        IFS='|' read -r name frames source <<<"$clip"
        ff_frames -f lavfi -i "$source" -vf "trim=end_frame=$frames,aianime=template=$tmp/$mode.json:fps=0:$small"
        is "$mode, $name" "$code $count" "0 $frames"
    done
done

# Behind the first frame, which is made alone, all frames of a still picture are one.
ff -f lavfi -i "$still" -vf "trim=end_frame=9,aianime=template=$tmp/flow.json:fps=0:$small,split[a][b];[a]trim=start_frame=1:end_frame=8,setpts=N[c];[b]trim=start_frame=2,setpts=N[d];[c][d]psnr" -f null -
logs "a still picture stays still" 'PSNR .*average:(inf|[5-9][0-9]|4[5-9])'

# Six pictures that have nothing in common: every one is a shot.
ff -f lavfi -i testsrc=s=64x48:r=10 -f lavfi -i mandelbrot=s=64x48:r=10 -f lavfi -i smptebars=s=64x48:r=10 -f lavfi -i rgbtestsrc=s=64x48:r=10 \
    -f lavfi -i cellauto=s=64x48:r=10:seed=3 -f lavfi -i sierpinski=s=64x48:r=10:seed=2 -filter_complex \
    "$(for i in 0 1 2 3 4 5; do printf '[%d]trim=end_frame=1,format=yuv420p,setsar=1[v%d];' $i $i; done)[v0][v1][v2][v3][v4][v5]concat=n=6,aianime=template=$tmp/flow.json:fps=0:$small,metadata=print:file=$tmp/meta" -f null -
is "a cut every frame, exit" "$code" 0
is "a cut every frame, frames" "$(grep -c '^frame:' "$tmp/meta")" 6
shots=$(grep -o 'shot=[0-9]*' "$tmp/meta" | sort -u | wc -l)
if [ "$shots" -ge 5 ]; then ok "a cut every frame, shots"; else fail "a cut every frame, shots" "$shots"; fi

for refused in window=0 window=65 window=4:overlap=4 overlap=63; do
    ff_frames -f lavfi -i "$still" -vf "trim=end_frame=2,aianime=$refused"
    is "$refused" "$code $count" "222 0"
done
ff_frames -f lavfi -i "$still" -vf "trim=end_frame=5,aianime=size=32:steps=1:fps=0:window=1"
is "windows of one frame" "$code $count" "0 5"

# --- nothing crosses a cut -------------------------------------------------------------------------------------------

# Seven frames of another scene first, or a clip that begins where those end: the same, bit for bit, drawn frames and those between.
behind_a_cut() { # name, template, options
    local second='testsrc2=s=64x48:r=25,hue=h=100,trim=end_frame=12,format=yuv420p,setsar=1'
    ff_frames -f lavfi -i "mandelbrot=s=64x48:r=25,trim=end_frame=10,format=yuv420p,setsar=1[a];$second[b];[a][b]concat,aianime=template=$2:$3,trim=start_frame=10"
    is "$1, behind a cut" "$code $count" "0 12"
    grep '^[^#]' "$tmp/frames" | cut -d, -f6 >"$tmp/behind"
    ff_frames -copyts -f lavfi -i "$second,setpts=PTS+10,aianime=template=$2:$3"
    grep '^[^#]' "$tmp/frames" | cut -d, -f6 >"$tmp/alone"
    if cmp -s "$tmp/behind" "$tmp/alone"; then
        ok "$1, as without what was before"
    else
        fail "$1, as without what was before" "$(diff "$tmp/behind" "$tmp/alone" | grep -c '^<') of 12 frames differ"
    fi
}
for mode in self window anchors flow; do
    for noise in shared frame warped; do
        [ $mode = flow ] || [ $noise = frame ] || continue # the most that can cross, and what depends on time
        look cut "{\"attention\": \"$mode\", \"noise\": \"$noise\", \"fusion\": 2, \"latent_fusion\": 1}"
        behind_a_cut "$mode, noise $noise" "$tmp/cut.json" "$small"
    done
done
behind_a_cut "every frame made" "$tmp/cut.json" "$small:fps=0"

finish
