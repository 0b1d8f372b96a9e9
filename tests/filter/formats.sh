#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sizes, pixel formats, colour tags, aspect ratio, flags and side data come out as they went in (reliability D13 to D28).
. "$(dirname "$0")/lib.sh"
source=(-f lavfi -i testsrc2=s=96x64:r=25)

for size in 1x1 2x2 7x5 15x15 16x16 63x65 321x243; do
    like_null "size $size" "scale=${size/x/:},trim=end_frame=3" "${source[@]}"
    like_null "size $size 4:2:2" "scale=${size/x/:},format=yuv422p,trim=end_frame=2" "${source[@]}"
done
like_null "size 1919x1079" "trim=end_frame=2" -f lavfi -i testsrc2=s=1919x1079:r=25

# Taken as they are: showinfo tells the format behind the filter.
native="yuv420p yuv422p yuv444p yuv440p yuv411p yuv410p yuvj420p yuvj422p yuvj444p yuv420p9le yuv420p10le yuv422p10le yuv444p10le
    yuv420p12le yuv444p14le yuv444p16le yuva420p yuva422p yuva444p yuva420p10le yuva444p16le gray gray10le gray12le gray16le ya8 ya16le
    gbrp gbrp9le gbrp10le gbrp12le gbrp16le gbrap gbrap10le gbrap16le rgb24 bgr24 rgba bgra argb abgr rgb0 bgr0 0rgb 0bgr rgb48le
    rgba64le"
for format in $native; do
    like_null "$format" "format=$format,trim=end_frame=3" "${source[@]}"
done

# Converted at negotiation: nothing is refused.
for format in nv12 nv16 pal8 monow yuyv422 rgb565le p010le gbrpf32le yuv420p10be rgb48be x2rgb10le bgr8 xyz12le; do
    ff_frames "${source[@]}" -vf "format=$format,trim=end_frame=3,aianime"
    is "$format is converted" "$code $count" "0 3"
done

AIANIME_NULL_INVERT=1
export AIANIME_NULL_INVERT
for format in yuva420p rgba gbrap ya8 yuva444p10le; do
    chain="format=gray,split[c][a];[c]negate[c];[c][a]alphamerge,format=$format,trim=end_frame=3"
    ff "${source[@]}" -filter_complex "$chain,split[x][y];[x]alphaextract[x];[y]aianime,alphaextract[y]" -map '[x]' -f framemd5 \
        "$tmp/before" -map '[y]' -f framemd5 "$tmp/after"
    if [ "$code" = 0 ] && cmp -s "$tmp/before" "$tmp/after"; then ok "alpha of $format"; else fail "alpha of $format" "exit $code"; fi
done
ff_frames "${source[@]}" -vf "trim=end_frame=3,lutyuv=y=255-val"
cp "$tmp/frames" "$tmp/wanted"
ff_frames "${source[@]}" -vf "trim=end_frame=3,aianime"
if cmp -s "$tmp/frames" "$tmp/wanted"; then ok "the picture is the engine's"; else fail "the picture is the engine's" "frames differ"; fi
unset AIANIME_NULL_INVERT

same() { like_null "$1" "$2,trim=end_frame=20" "${source[@]}"; }
same "full range" "scale=out_range=full,setparams=range=full"
same "BT.709 tags" "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=limited"
same "BT.2020 10 bit" "format=yuv420p10le,setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt2020-10"
same "sample aspect ratio" "setsar=16/11"
same "top field first" "setfield=tff"
same "region of interest" "addroi=0:0:32:32:0.5"
same "a metadata entry" "metadata=add:key=k:value=v"

ff "${source[@]}" -vf "trim=end_frame=40,setfield=bff,aianime" -f null -
is "interlaced warned of once" "$(grep -c interlaced "$tmp/log")" 1

"$FFMPEG" -v error -nostdin -y -f lavfi -i testsrc2=s=96x64:r=25:d=1 -c:v libx264 -preset ultrafast "$tmp/clip.mp4"
"$FFMPEG" -v error -nostdin -y -display_rotation 90 -i "$tmp/clip.mp4" -c copy "$tmp/turned.mp4"
like_null "rotation applied" null -i "$tmp/turned.mp4"
like_null "rotation kept as side data" null -noautorotate -i "$tmp/turned.mp4"
if grep -q 'displaymatrix' "$tmp/aianime.info"; then ok "display matrix seen"; else fail "display matrix seen" "not there"; fi

"$FFMPEG" -v error -nostdin -y -f lavfi -i testsrc2=s=96x64:r=25 -frames:v 1 "$tmp/picture.png"
like_null "a PNG picture" null -i "$tmp/picture.png"
like_null "an empty prefix of metadata" "metadata=delete" -i "$tmp/picture.png"

finish
