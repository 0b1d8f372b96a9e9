#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Frames out are frames in: their number, order, timestamps and durations (reliability D1 to D12).
. "$(dirname "$0")/lib.sh"
source=(-f lavfi -i testsrc2=s=96x64:r=25)

for n in 1 2 5 15 16 17 31 32 48 101; do
    like_null "$n frames" "trim=end_frame=$n" "${source[@]}"
    is "$n frames counted" "$(grep -c plane_checksum "$tmp/aianime.info")" "$n"
done

ff_frames "${source[@]}" -vf "trim=end_frame=10,select=0,aianime"
is "0 frames exit" "$code" 0
is "0 frames out" "$count" 0
logs "0 frames logged" '\] 0 frames in, 0 frames out, 0 generated'

for hold in 1 2 7 64; do
    AIANIME_NULL_HOLD=$hold like_null "engine that holds $hold" "trim=end_frame=40" "${source[@]}"
done

ff_frames "${source[@]}" -vf "trim=end_frame=31,aianime"
logs "the summary line" '^\[Parsed_aianime_1 @ [^]]*\] 31 frames in, 31 frames out, 16 generated, [0-9]+\.[0-9]{2} s a generated frame$'

pts() { like_null "$1" "trim=end_frame=40,setpts=$2" "${source[@]}"; }
pts "variable frame rate" "'PTS*3+mod(N*7,5)'"
pts "missing timestamps" "NAN"
pts "some missing timestamps" "'if(mod(N,3),PTS,NAN)'"
pts "duplicate timestamps" "'floor(N/2)'"
pts "backwards timestamps" "'PTS-5*mod(N,4)'"
pts "negative timestamps" "'PTS-20'"
pts "a gap of two hours" "'PTS+gt(N,20)*7200/TB'"
pts "timestamps near 33 bits" "'PTS+8589934580'"
like_null "a fine time base" "settb=1/1000000,trim=end_frame=40" "${source[@]}"

for rate in 24000/1001 24 60000/1001 120; do
    like_null "$rate frames a second" "trim=end_frame=20" -f lavfi -i "testsrc2=s=96x64:r=$rate"
    ff "${source[@]/r=25/r=$rate}" -vf "trim=end_frame=3,aianime" -f null -
    logs "$rate frames a second kept" "$(echo "$rate" | sed 's,24000/1001,23.98,; s,60000/1001,59.94,') fps,"
done

clip "$tmp/clip.h264" 60 96x64 -g 20
"$FFMPEG" -v error -nostdin -y -f lavfi -i testsrc2=s=96x64:r=25:d=4 -c:v libx264 -preset veryfast -bf 3 -g 25 "$tmp/clip.mp4"
like_null "elementary stream" null -i "$tmp/clip.h264"
like_null "B-frames" null -i "$tmp/clip.mp4"
like_null "seek before the input" null -ss 1.3 -i "$tmp/clip.mp4"
like_null "start of output and timestamps kept" null -copyts -ss 1.3 -i "$tmp/clip.mp4"

for filter in null aianime; do
    ff_frames -i "$tmp/clip.mp4" -ss 1.3 -vf "$filter"
    cp "$tmp/frames" "$tmp/$filter.after"
done
if cmp -s "$tmp/null.after" "$tmp/aianime.after"; then ok "seek after the input"; else fail "seek after the input" "frames differ"; fi

finish
