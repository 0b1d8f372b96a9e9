#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the filter says of a video: metadata, report, key frames; a report that is edited and followed; sidecar files.
. "$(dirname "$0")/lib.sh"
export AIANIME_ENGINE=$BUILD/lib/libaianime.so.1
root=$(cd "$(dirname "$0")/../.." && pwd)
LIMIT=300 # networks on a busy machine
small=size=48:steps=1:segment=8:window=4:overlap=1

value() { # JSON file, Python expression of d
    python3 -c "import json,sys; d=json.load(open(sys.argv[1])); print($2)" "$1"
}
edit() { # from, to, Python statements on d
    python3 -c "import json,sys; d=json.load(open(sys.argv[1])); exec(sys.argv[3]); json.dump(d,open(sys.argv[2],'w'))" "$1" "$2" "$3"
}

# A face that moves, two seconds; then another scene, one second.
"$FFMPEG" -v error -nostdin -y -f lavfi -i color=gray:s=320x240:r=10:d=2 -i "$root/tests/golden/face/astronaut.png" -f lavfi -i mandelbrot=s=320x240:r=10 \
    -filter_complex "[1]scale=200:-2[f];[0][f]overlay=10+2*n:20,format=yuv444p,setsar=1[a];[2]trim=end_frame=10,format=yuv444p,setsar=1[b];[a][b]concat" \
    -c:v ffv1 "$tmp/clip.mkv" || fail clip "not made"

# --- the report and the metadata -------------------------------------------------------------------------------------

mkdir "$tmp/keys"
ff -i "$tmp/clip.mkv" -vf "aianime=$small:report=$tmp/report.json:keyframes=$tmp/keys,metadata=print:file=$tmp/meta" -f null -
is "a run with a report" "$code" 0
is "shots of the report" "$(value "$tmp/report.json" '[(s["first_pts"], len(s["people"])) for s in d["shots"]]')" "[(0, 1), (2000, 0)]"
is "who it is" "$(value "$tmp/report.json" '[(p["track"], p["male"]<0.5, len(p["descriptor"]), len(p["sightings"])) for p in d["shots"][0]["people"]]')" \
    "[(0, True, 128, 5)]"
is "the prompt used" "$(value "$tmp/report.json" 'd["shots"][1]["prompts"][0]["text"]')" "$(value "$root/templates/pop.json" 'd["prompt"]["positive"]')"
is "pictures of key frames" "$(ls "$tmp/keys" | tr '\n' ' ')" "shot-0000.png shot-0001.png "
is "their size" "$("$FFPROBE" -v error -show_entries stream=width,height -of csv=p=0 "$tmp/keys/shot-0000.png")" 320,240
is "faces in the metadata" "$(grep -c '^lavfi.aianime.faces=1$' "$tmp/meta")" 20
is "nobody in the metadata" "$(grep -c '^lavfi.aianime.faces=0$' "$tmp/meta")" 10
is "what is said of a face" "$(grep -o '^lavfi.aianime.face.0.[a-z]*' "$tmp/meta" | sort -u | wc -l)" 10
is "gender" "$(grep -c '^lavfi.aianime.face.0.gender=female' "$tmp/meta")" 20
x() { sed -n 's/^lavfi.aianime.face.0.x=//p' "$tmp/meta" | sed -n "$1p"; }
moved=$(($(x 18) - $(x 2)))
if [ "$moved" -ge 26 ] && [ "$moved" -le 38 ]; then ok "the box goes along"; else fail "the box goes along" "$moved of 32 pixels"; fi
ff -i "$tmp/clip.mkv" -vf "aianime=$small,metadata=select:key=lavfi.aianime.faces:value=1:function=same_str" -f framemd5 "$tmp/frames"
is "ffmpeg selects by it" "$(frames_in "$tmp/frames")" 20

# --- a plan ----------------------------------------------------------------------------------------------------------

checksums() { grep '^[^#]' "$1" | cut -d, -f6; }
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:prompt=ink anime style"
checksums "$tmp/frames" >"$tmp/ink"
edit "$tmp/report.json" "$tmp/ink.json" 'for s in d["shots"]: s["prompts"]=[{"time":0,"text":"ink anime style"}]'
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/ink.json:report=$tmp/again.json"
is "a plan is followed" "$code $count" "0 30"
if cmp -s "$tmp/ink" <(checksums "$tmp/frames"); then ok "the plan's prompt to the letter"; else fail "the plan's prompt to the letter" "frames differ"; fi
is "what was followed is reported" "$(value "$tmp/again.json" 'json.load(open("'"$tmp/ink.json"'"))["shots"]==d["shots"]')" True
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/report.json"
if cmp -s "$tmp/ink" <(checksums "$tmp/frames"); then fail "another prompt, other frames" "they are the same"; else ok "another prompt, other frames"; fi
edit "$tmp/report.json" "$tmp/cut.json" 'import copy; s=copy.deepcopy(d["shots"][0]); s["first_pts"]=1000; s["key_frame"]["pts"]=1300; d["shots"].insert(1,s); d["shots"].pop()'
ff -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/cut.json,metadata=print:file=$tmp/meta" -f null -
is "the plan's cuts" "$(grep -o '^lavfi.aianime.shot=.*' "$tmp/meta" | uniq -c | tr -s ' \n' ' ')" " 10 lavfi.aianime.shot=0 20 lavfi.aianime.shot=1 "

edit "$tmp/report.json" "$tmp/late.json" 'd["shots"][1]["first_pts"]=2001; d["shots"][0]["first_pts"]=500'
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/late.json"
is "a plan that contradicts the video" "$code $count" "0 30"
logs "frames before its first shot" 'plan: has no shot that the frame with timestamp 0 belongs to'
logs "a shot that does not come" 'plan: no frame has the timestamp 2001'
edit "$tmp/report.json" "$tmp/base.json" 'd["time_base"]="1/90000"'
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/base.json"
is "a plan of another time base" "$code $count" "183 0"
printf '{"schema": 1, "time_base": "1/1000", "shots": [\xff]}' >"$tmp/broken.json"
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/broken.json"
is "a plan that is no UTF-8" "$code $count" "183 0"
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:plan=$tmp/none.json"
is "a plan that is not there" "$code $count" "254 0"

# --- who describes ---------------------------------------------------------------------------------------------------

captions() { sort -u "$tmp/meta" | sed -n "s/^lavfi.aianime.$1=//p" | tr '\n' '|'; }
describe() { # options
    ff -i "$tmp/clip.mkv" -vf "aianime=$small:$1,metadata=print:file=$tmp/meta" -f null -
}
describe caption=attributes
is "the built-in captioner" "$code $(captions caption | grep -c '1girl, solo')" "0 1"
is "its words are in the prompt" "$(captions prompt | grep -c 'pop anime style, 1girl, solo')" 1
printf '[0] a man (old) with a hat\n[shot 1] a fractal\n' >"$tmp/words.txt"
describe "captions=$tmp/words.txt"
is "a text file, corrected by the face" "$code $(captions caption)" "0 a fractal|a woman (old) with a hat|"
is "as it stands in the prompt" "$(captions prompt | grep -c 'a woman .(old.) with a hat')" 1
describe "captions=$tmp/words.txt:caption=none"
is "a text file that nobody reads" "$code" 234
describe caption=file
is "no text file" "$code" 234
describe "captions=$tmp/none.txt"
is "a text file that is not there" "$code" 254
printf 'a caf\xe9\n' >"$tmp/latin.txt"
describe "captions=$tmp/latin.txt"
is "a text file that is no UTF-8" "$code" 183
logs "its line" 'latin.txt.*line 1'

export AIANIME_MODELS=$tmp/models
mkdir "$tmp/models"
cp -r "$root/tests/golden/vit_tagger/norm_of_mean" "$tmp/models/wd"
cp -r "$root/tests/golden/blip2/older" "$tmp/models/blip2"
cp -r "$root/tests/golden/clip_phrases/current" "$tmp/models/clip"
cp "$root/tests/golden/clip_phrases/phrases.txt" "$tmp/models/"
template() { # file, Python statements on the template d
    edit "$root/templates/pop.json" "$tmp/$1.json" "p=d['prompt']; $2"
}
for kind in wd blip2 clip; do
    template $kind "p['auto_caption']='$kind'; p['caption_model']='$kind'; p['language']='sentence'; p['phrases']='phrases.txt'"
    describe "template=$tmp/$kind.json:report=$tmp/$kind.report"
    is "captioner $kind" "$code $(value "$tmp/$kind.report" 'len(d["shots"]), d["captioner"]')" "0 2 $kind"
    describe "template=$tmp/$kind.json:caption=none"
    is "captioner $kind, switched off" "$code $(captions caption)" "0 "
    truncate -s 900 "$tmp/models/$kind/model.safetensors"
    describe "template=$tmp/$kind.json"
    is "half a file of $kind" "$code" 183
    rm -r "${tmp:?}/models/$kind"
    describe "template=$tmp/$kind.json"
    is "no file of $kind" "$code" 254
done
template bare "p['auto_caption']='wd'"
describe "template=$tmp/bare.json"
is "a captioner without its network" "$code" 183
unset AIANIME_MODELS

# --- what cannot be written ------------------------------------------------------------------------------------------

ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:keyframes=$tmp/nowhere"
is "no folder for key frames" "$code $count" "254 0"
ff_frames -i "$tmp/clip.mkv" -vf "aianime=$small:report=$tmp/nowhere/report.json"
is "no folder for the report" "$code $count" "254 0"
ff -i "$tmp/clip.mkv" -vf "aianime=$small:report=$tmp/early.json" -frames:v 3 -f null -
is "a run that is cut short" "$code" 0
is "has a report of what it saw" "$(value "$tmp/early.json" 'len(d["shots"])')" 1
finish
