#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real engine with the pack of the tree inside ffmpeg: frames, properties, and what damaged packs and templates give.
. "$(dirname "$0")/lib.sh"
export AIANIME_ENGINE=$BUILD/lib/libaianime.so.1
root=$(cd "$(dirname "$0")/../.." && pwd)
LIMIT=300 # networks on a busy machine
small=size=32:steps=1:segment=8:window=4:overlap=1
source=(-f lavfi -i testsrc2=s=64x48:r=25)

# --- frames and their properties ------------------------------------------------------------------------------------

for n in 1 15 16 17 31; do
    ff_frames "${source[@]}" -vf "trim=end_frame=$n,aianime=$small"
    is "$n frames, exit" "$code" 0
    is "$n frames, count" "$count" "$n"
done

for chain in "setpts=NAN" "setpts='PTS*3+mod(N*7,5)'" "setpts='PTS-5*mod(N,4)'"; do
    for filter in null "aianime=$small"; do
        ff "${source[@]}" -vf "trim=end_frame=12,$chain,$filter" -fps_mode passthrough -f framemd5 "$tmp/list"
        grep '^[^#]' "$tmp/list" | cut -d, -f1-5 >"$tmp/list.${filter%%=*}"
    done
    if cmp -s "$tmp/list.null" "$tmp/list.aianime"; then ok "timestamps after $chain"; else fail "timestamps after $chain" "differ"; fi
done

ff "${source[@]}" -vf "trim=end_frame=6,aianime=$small,metadata=print:file=$tmp/meta" -f null -
is "generated frames by metadata" "$(grep -c 'origin=generated' "$tmp/meta")" 3
is "interpolated frames by metadata" "$(grep -c 'origin=interpolated' "$tmp/meta")" 3
is "prompt in metadata" "$(grep -c 'aianime.prompt=pop anime style' "$tmp/meta")" 6

ff_frames "${source[@]}" -vf "trim=end_frame=6,aianime=$small" && cp "$tmp/frames" "$tmp/first"
ff_frames "${source[@]}" -vf "trim=end_frame=6,aianime=$small"
if cmp -s "$tmp/first" "$tmp/frames"; then ok "the same frames again"; else fail "the same frames again" "differ"; fi
ff_frames "${source[@]}" -vf "trim=end_frame=6,aianime=$small:seed=5"
if cmp -s "$tmp/first" "$tmp/frames"; then fail "another seed" "gives the same frames"; else ok "another seed"; fi

ff_frames "${source[@]}" -vf "trim=end_frame=3,aianime=strength=0" && cp "$tmp/frames" "$tmp/passed"
ff_frames "${source[@]}" -vf "trim=end_frame=3"
if cmp -s "$tmp/frames" "$tmp/passed"; then ok "strength 0 changes no byte"; else fail "strength 0 changes no byte" "it does"; fi

for size in 1x1 7x5 16x16 17x33 321x243; do
    ff_frames "${source[@]}" -vf "trim=end_frame=2,scale=${size/x/:},aianime=$small"
    is "size $size" "$code $count" "0 2"
done
for format in yuv420p10le yuv422p yuv444p yuvj420p gray gray10le rgb24 gbrp gbrp10le rgba yuva420p pal8 nv12; do
    ff_frames "${source[@]}" -vf "trim=end_frame=2,format=$format,aianime=$small"
    is "format $format" "$code $count" "0 2"
done
ff "${source[@]}" -vf "trim=end_frame=2,format=yuva420p,geq=lum='p(X,Y)':a='X*3+Y',split[a][b];[a]alphaextract[x];[b]aianime=$small,alphaextract[y];[x][y]psnr" -f null -
logs "alpha is untouched" 'PSNR .*average:inf'

# --- a cut is a border, attention modes, interpolation ---------------------------------------------------------------

ff -f lavfi -i testsrc=s=64x48:r=25 -f lavfi -i mandelbrot=s=64x48:r=25 -filter_complex \
    "[0]trim=end_frame=7,format=yuv420p,hue=h=120[a];[1]trim=end_frame=7,format=yuv420p,setsar=1[b];[a][b]concat,aianime=$small,metadata=print:file=$tmp/meta" -f null -
is "two shots" "$(grep -o 'shot=[0-9]*' "$tmp/meta" | sort | uniq -c | awk '{printf "%s %s,", $1, $2}')" "7 shot=0,7 shot=1,"

modes=(self sparse anchors window)
[ ! -d "$root/models/pocket/cfa" ] || modes+=(flow)
for mode in "${modes[@]}"; do
    sed "s/\"attention\": *\"[a-z]*\"/\"attention\": \"$mode\"/" "$root/templates/pop.json" >"$tmp/$mode.json"
    grep -q "\"$mode\"" "$tmp/$mode.json" || fail "attention $mode" "templates/pop.json names no attention"
    ff_frames "${source[@]}" -vf "trim=end_frame=18,aianime=template=$tmp/$mode.json:$small:fps=0:guidance=2"
    is "attention $mode with guidance" "$code $count" "0 18"
done
for way in source blend none; do
    ff_frames "${source[@]}" -vf "trim=end_frame=7,aianime=$small:interpolate=$way"
    is "interpolate $way" "$code $count" "0 7"
done
ff_frames "${source[@]}" -vf "trim=end_frame=3,aianime=$small:strength=0.5:steps=4"
is "strength below 1" "$code $count" "0 3"

# --- bad templates and packs: exit code, text, no output -------------------------------------------------------------

# refused NAME EXIT TEXT OPTIONS: fails at once and writes no frame.
refused() {
    ff_frames "${source[@]}" -vf "trim=end_frame=2,aianime=$small:$4"
    is "$1, exit" "$code" "$2"
    logs "$1, text" "$3"
    is "$1, frames" "${count:-0}" 0
}
pack() { # NAME: a copy of the pack that may be damaged
    rm -rf "$tmp/models" && mkdir "$tmp/models" && cp -rL "$root/models/pocket" "$tmp/models/pocket"
}

refused "template missing" 254 "no-such-look" template=no-such-look
echo '{"schema": 1, "sampling": {"stepz": 4}}' >"$tmp/bad.json"
refused "template with an unknown key" 183 "stepz.*steps" template="$tmp/bad.json"
echo '{"schema": 1, "model": {"base": "../../etc"}}' >"$tmp/bad.json"
refused "template that leaves its folder" 243 "base" template="$tmp/bad.json"
echo '{"schema": 1, "sampling": {"steps": 4' >"$tmp/bad.json"
refused "template cut short" 183 "bad.json" template="$tmp/bad.json"
refused "model folder without the pack" 254 "pocket" "models=$tmp"
pack && sed -i 's/"license": *"[^"]*"/"license": "CC-BY-NC-4.0"/' "$tmp/models/pocket/pack.json"
refused "a noncommercial pack where the licence matters" 243 'pack "pocket" is not for commercial use \(CC-BY-NC-4.0\)' \
    "license=commercial:models=$tmp/models"
refused "device that is not there" 237 "cuda:99" device='cuda\\:99'

pack && truncate -s 1000000 "$tmp/models/pocket/unet/diffusion_pytorch_model.safetensors"
refused "weights cut short" 183 "unet/diffusion_pytorch_model.safetensors" "models=$tmp/models"
pack && rm "$tmp/models/pocket/vae/diffusion_pytorch_model.safetensors"
refused "weights missing" 254 "vae" "models=$tmp/models"
pack && printf '\200\002}q\000.' >"$tmp/models/pocket/vae/diffusion_pytorch_model.safetensors"
refused "pickle in disguise" 243 "pickle" "models=$tmp/models"
pack && sed -i 's/"block_out_channels": *\[/&32, /' "$tmp/models/pocket/unet/config.json"
refused "configuration of another network" 183 "unet" "models=$tmp/models"
pack && cp "$tmp/models/pocket/controlnet/diffusion_pytorch_model.safetensors" "$tmp/models/pocket/unet/"
refused "weights of another network" 183 "missing|unexpected" "models=$tmp/models"

# --- sound, pictures -------------------------------------------------------------------------------------------------

ff -f lavfi -i testsrc2=s=64x48:r=25 -f lavfi -i sine=r=8000 -t 0.4 -c:v libx264 -preset ultrafast -c:a pcm_s16le "$tmp/in.mkv"
ff -i "$tmp/in.mkv" -vf "aianime=$small" -c:a copy -c:v libx264 -preset ultrafast "$tmp/out.mkv"
for file in in out; do "$FFMPEG" -v error -i "$tmp/$file.mkv" -map 0:a -c copy -f md5 - >"$tmp/$file.sound"; done
if [ "$code" = 0 ] && cmp -s "$tmp/in.sound" "$tmp/out.sound"; then ok "sound is copied"; else fail "sound is copied" "exit $code"; fi
ff "${source[@]}" -frames:v 1 "$tmp/in.png"
ff -i "$tmp/in.png" -vf "aianime=$small" "$tmp/out.png"
is "a picture" "$code $("$FFPROBE" -v error -show_entries stream=width,height -of csv=p=0 "$tmp/out.png")" "0 64,48"

finish
