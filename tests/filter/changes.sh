#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The input changes in mid-stream (reliability D17 to D20): nothing is lost with -reinit_filter 0, and without it the loss is told.
. "$(dirname "$0")/lib.sh"

clip "$tmp/wide.h264" 24 128x96
clip "$tmp/small.h264" 24 96x64
clip "$tmp/444.h264" 24 128x96 -pix_fmt yuv444p
clip "$tmp/full.h264" 24 128x96 -vf scale=out_range=full -color_range pc
clip "$tmp/tagged.h264" 24 128x96 -color_range tv -colorspace smpte170m
clip "$tmp/rgb.h264" 24 128x96 -c:v libx264rgb -pix_fmt rgb24
cat "$tmp/wide.h264" "$tmp/small.h264" >"$tmp/size.h264"
cat "$tmp/wide.h264" "$tmp/small.h264" "$tmp/wide.h264" >"$tmp/sizes.h264"
cat "$tmp/wide.h264" "$tmp/444.h264" >"$tmp/format.h264"
cat "$tmp/444.h264" "$tmp/rgb.h264" >"$tmp/torgb.h264"
cat "$tmp/rgb.h264" "$tmp/tagged.h264" >"$tmp/fromrgb.h264" # the decoder keeps the tags of before where there are none
cat "$tmp/wide.h264" "$tmp/full.h264" >"$tmp/range.h264"

# Default options: ffmpeg rebuilds the graph. 24 frames with 16 held leave 8.
default() { # name, file, frames out, frames lost
    ff_frames -i "$tmp/$2" -vf aianime
    is "$1, default: exit and frames" "$code $count" "0 $3"
    is "$1, default: lost frames told" "$(sed -n 's/.*\] \([0-9]*\) frames lost (pts .*/\1/p' "$tmp/log" | paste -sd ' ')" "$4"
}
default "size change" size.h264 40 8
logs "size change, default: first and last pts" '8 frames lost \(pts [0-9]+ to [0-9]+\): .*-reinit_filter 0 .*scale'
default "two size changes" sizes.h264 56 "8 8"
default "format change" format.h264 40 8
default "range change" range.h264 40 8
AIANIME_NULL_HOLD=7 default "size change, 7 held" size.h264 45 3
AIANIME_NULL_HOLD=12 default "size change, nothing held" size.h264 48 ""

# Every frame comes out; the file that has frames of one size and format cannot hold others.
kept() { # name, file, chain, frames
    ff_frames -reinit_filter 0 -i "$tmp/$2" -vf "$3"
    is "$1" "$code $count" "0 $4"
    is "$1: one size" "$(grep '^[^#]' "$tmp/frames" | awk -F, '{ print $5 + 0 }' | sort -u | wc -l)" 1
    silent "$1: nothing lost" 'frames lost'
}
for hold in 1 5 16; do
    export AIANIME_NULL_HOLD=$hold
    kept "size change, scale in front, $hold held" size.h264 scale=128:96,aianime 48
    kept "size change, no scale, $hold held" size.h264 aianime 48
    kept "two size changes, no scale, $hold held" sizes.h264 aianime 72
    kept "format change, no scale, $hold held" format.h264 aianime 48
    kept "to RGB, no scale, $hold held" torgb.h264 aianime 48
    kept "from RGB, no scale, $hold held" fromrgb.h264 aianime 48
    kept "range change, $hold held" range.h264 aianime 48
done
unset AIANIME_NULL_HOLD

# The engine is drained once a change, not once a frame: its groups stay whole.
ff_frames -reinit_filter 0 -i "$tmp/size.h264" -vf aianime,metadata=print:file="$tmp/metadata"
is "groups after a change" "$(grep -c 'aianime.segment=1' "$tmp/metadata")" 16

# What the filter converts looks like what scale makes of it: the frames from FIRST on are those of REFERENCE after CHAIN.
closeness() { # name, FIRST, file, REFERENCE, CHAIN
    local demuxer=${3##*.}
    [ "$demuxer" = h264 ] || demuxer=${demuxer}_pipe
    ff -reinit_filter 0 -f "$demuxer" -i "$tmp/$3" -vf "aianime,trim=start_frame=$2,setpts=N/25/TB" -c:v ffv1 -f nut "$tmp/ours.nut"
    ff -i "$tmp/ours.nut" -f "$demuxer" -i "$tmp/$4" -lavfi "[1:v]$5,setpts=N/25/TB[w];[0:v]setpts=N/25/TB[o];[o][w]psnr" -f null -
    is "$1" "$(sed -n 's/.*average:\([0-9.infa]*\).*/\1/p' "$tmp/log" | tail -n 1 | awk '{ print ($1 == "inf" || $1 >= 40) ? "close" : $1 }')" close
}
fine=scale=flags=bicubic+accurate_rnd+full_chroma_int
closeness "size as scale does it" 24 size.h264 small.h264 scale=128:96:flags=bicubic
closeness "4:4:4 as scale does it" 24 format.h264 444.h264 format=yuv420p
closeness "RGB as scale does it" 24 torgb.h264 rgb.h264 scale=out_color_matrix=bt601:out_range=tv,format=yuv444p
closeness "to RGB as scale does it" 24 fromrgb.h264 tagged.h264 "$fine,format=gbrp"

# Pictures of any kind in a row. ffmpeg's source gives frames without a range that of the first ones, here full.
for format in yuv420p gray rgb24 rgba; do
    "$FFMPEG" -v error -nostdin -y -f lavfi -i testsrc2=s=128x96:r=25 -frames:v 6 -vf "format=$format" -c:v jpeg2000 -pred dwt53 \
        -format j2k -f image2pipe "$tmp/$format.j2k"
done
for from in yuv420p gray rgb24 rgba; do
    for to in yuv420p gray rgb24 rgba; do
        [ $from != $to ] || continue
        cat "$tmp/$to.j2k" "$tmp/$from.j2k" >"$tmp/mixed.j2k"
        closeness "$from becomes $to" 6 mixed.j2k "$from.j2k" "$fine:in_range=full,format=$to"
    done
done

# Range and matrix may change without any conversion: the frames' own tags stay.
for filter in null aianime; do
    ff_info -reinit_filter 0 -i "$tmp/range.h264" -vf "$filter,showinfo,setpts=N"
    showinfo_lines >"$tmp/$filter.info"
done
if cmp -s "$tmp/null.info" "$tmp/aianime.info" && grep -q color_range:pc "$tmp/aianime.info"; then
    ok "tags of each frame kept"
else
    fail "tags of each frame kept" "$(diff "$tmp/null.info" "$tmp/aianime.info" | head -n 4 | tr '\n' '|')"
fi

finish
