#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The `aianime` command: what `info` and `doctor` say of good, incomplete and hostile packs, weights and templates, and their exit
# status (reliability A1, A12, A20, A21, A26, A28, A31, B7, B8, B12).

. "$(dirname "$0")/checks.sh"
unset AIANIME_ENGINE
LIMIT=60

# A fresh copy of the pack below $tmp/NAME; without a manifest it is a plain diffusers folder, and no hash stands in the way.
pack() { # name
    cp -r "$root/models/pocket" "$tmp/$1"
}
plain() { # name
    pack "$1"
    rm "$tmp/$1/pack.json"
}
weights=diffusion_pytorch_model.safetensors

try "help" 0 '^  info ' --help
try "help of a verb" 0 '^usage: aianime info' info --help
try "version" 0 '^aianime [0-9.]+ \(LibTorch ' --version
try "no verb" 234 'a verb is needed'
try "unknown verb" 234 'did you mean "info"' inof
try "too few arguments" 234 'one path or name' info
try "too many arguments" 234 'no arguments' doctor x

cd "$tmp" || exit 1
try "pack by name" 0 '^complete +yes' info pocket
try "pack by path" 0 '^hashes +[0-9]+ files, all as' info "$root/models/pocket"
try "template by name" 0 '^prompt +pop anime style' info pop
try "weights" 0 '^dialect +diffusers names' info "$root/models/pocket/unet/$weights"
try "nothing there" 254 'none' info "$tmp/none"
try "name of nothing" 254 'no file or folder here, no pack in .*"zzzzzz": not found in' info zzzzzz
mkdir empty
try "folder of nothing" 183 'neither a pack' info "$tmp/empty"

plain diffusers
try "diffusers folder" 0 '^license +not stated' info "$tmp/diffusers"
try "its controlnet is unused" 0 'controlnet +there, but unused' info "$tmp/diffusers"

pack changed
echo >>changed/unet/config.json
try "hash differs" 183 'unet/config.json.*SHA-256 differs' info "$tmp/changed"
pack lost
rm -r lost/vae
try "part is missing" 254 'vae' info "$tmp/lost"
pack uncontrolled
rm -r uncontrolled/controlnet
try "control is missing" 254 'controlnet' info "$tmp/uncontrolled"
pack escaping
rm -r escaping/controlnet
ln -s "$root/models/pocket/controlnet" escaping/controlnet
try "control is a link out of the pack" 243 'leaves the folder' info "$tmp/escaping"

plain cut
truncate -s -1 cut/unet/$weights
try "weights cut by one byte" 183 'incomplete file' info "$tmp/cut"
try "the same file alone" 183 'incomplete file' info "$tmp/cut/unet/$weights"
plain renamed
LC_ALL=C sed -i '1s/"conv_in\.bias"/"conv_in.bios"/' renamed/unet/$weights
try "tensor renamed" 183 'missing conv_in\.bias; unexpected conv_in\.bios' info "$tmp/renamed"
plain shaped
channels=$(sed -n 's/.*"in_channels": \([0-9]*\).*/\1/p' shaped/unet/config.json)
sed -i "s/\"in_channels\": $channels/\"in_channels\": $((channels + 1))/" shaped/unet/config.json
try "other shape" 183 "conv_in\.weight \[[0-9]+,$channels,3,3\] instead of \[[0-9]+,$((channels + 1)),3,3\]" info "$tmp/shaped"
plain pickled
printf '\200\002cposix\nsystem\n(S"touch %s/marker"\ntR.' "$tmp" >pickled/unet/$weights
try "pickle under another name" 243 'pickle' info "$tmp/pickled"
try "the pickle was not run" 0 usage info --help
[ ! -e marker ] || {
    echo "FAIL pickle: it was run"
    failed=$((failed + 1))
}
plain pointer
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' >pointer/vae/$weights
try "Git LFS pointer" 183 'git lfs pull' info "$tmp/pointer"
plain worded
echo '{"a": 1, "a": 2}' >worded/tokenizer/vocab.json
try "vocabulary with a key twice" 183 'vocab.json.*twice' info "$tmp/worded"

# A file with one tensor of two bytes under a telling name.
tensor() { # name
    local header="{\"$1\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}"
    printf "\\x$(printf %02x ${#header})\0\0\0\0\0\0\0%s\1\2" "$header" >one.safetensors
}
tensor lora_unet_down_blocks_0.lora_down.weight
try "a LoRA" 0 '^kind +LoRA' info "$tmp/one.safetensors"
tensor something.else
try "an unknown network" 0 '^kind +unknown' info "$tmp/one.safetensors"

template() { # json
    printf '%s' "$1" >t.json
}
template '{"schema": 1, "smapling": {}}'
try "template: unknown key" 183 'did you mean "sampling"' info "$tmp/t.json"
template '{"schema": 1, "sampling": {"steps": 1001}}'
try "template: out of range" 222 'sampling.steps: 1001 is outside 1 to 1000' info "$tmp/t.json"
template '{"schema": 1, "model": {"base": "../secret"}}'
try "template: path outside" 243 'model.base' info "$tmp/t.json"
template '{"schema": 1, "model": {"base": "other"}}'
try "template: pack missing" 254 'other.*not found' info "$tmp/t.json"
template '{"schema": 1,}'
try "template: syntax" 183 'line 1, column 14' info "$tmp/t.json"

try "doctor: all there" 0 'everything a run needs' doctor
AIANIME_ENGINE=$tmp/none.so try "doctor: no engine" 254 'mend: make engine' doctor
mkdir bin && cp "$command" bin/
command=$tmp/bin/aianime
PATH=/usr/bin:/bin LD_LIBRARY_PATH=$build/run/torch/lib try "doctor: nothing but the command" 254 'no template in' doctor

finish
