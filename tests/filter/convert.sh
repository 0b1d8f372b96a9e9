#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tools/convert_pickle.py: pickles in the wrappings people have them in become safetensors files that `aianime info` knows; what could
# run code is refused and not run (reliability A25, A26). The command it is called by is the one that the refusals print.

build=$(cd "${BUILD:-build}" && pwd) || exit 1
root=$PWD
command=$build/bin/aianime
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

check() { # name, status, wanted status, pattern
    if [ "$2" != "$3" ]; then
        echo "FAIL $1: exit $2 instead of $3: $(tail -n 2 "$tmp/log" | tr '\n' '|')"
    elif ! grep -Eq -- "$4" "$tmp/log"; then
        echo "FAIL $1: no '$4' in: $(tr '\n' '|' <"$tmp/log")"
    else
        echo "ok $1"
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
}

convert() { # name, status, pattern, words...
    local name=$1 status=$2 pattern=$3 got
    shift 3
    timeout 120 "$python" "$root/tools/convert_pickle.py" "$@" >"$tmp/log" 2>&1
    got=$?
    check "$name" $got "$status" "$pattern"
}

info() { # name, status, pattern, file
    local got
    timeout 60 "$command" info "$4" >"$tmp/log" 2>&1
    got=$?
    check "$1" $got "$2" "$3"
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
    exit
}

cd "$tmp" || exit 1
python=python3
convert "no such file" 1 'none\.pt' none.pt
printf 'version https://git-lfs.github.com/spec/v1\n' >pointer.ckpt
convert "a Git LFS pointer" 1 'git lfs pull' pointer.ckpt
printf '\n<!DOCTYPE html><html></html>' >page.ckpt
convert "a web page" 1 'web page' page.ckpt
convert "a safetensors file" 1 'safetensors file already' "$root/models/pocket/unet/diffusion_pytorch_model.safetensors"
convert "wrong usage" 2 'usage: convert_pickle.py' --steps 3

printf '\200\002}.' >"it's a pickle.ckpt"
info "the refusal names the command" 243 "python3 $root/tools/convert_pickle.py 'it'.''s a pickle\.ckpt' makes a safetensors" "it's a pickle.ckpt"
mkdir -p diffusers/unet
cp "$root"/models/pocket/unet/config.json diffusers/unet/
printf '\200\002}.' >diffusers/unet/pytorch_model.bin
info "and that of a folder of pickles" 243 "python3 $root/tools/convert_pickle.py .*unet/pytorch_model.bin makes" "$tmp/diffusers"

# A Python with PyTorch: the reference's where there is one.
has_torch() { "$1" -c 'import torch; assert torch.__version__ >= "2.6"' >"$tmp/log" 2>&1; }
python=
for candidate in "${AIANIME_BENCH_PYTHON:-}" "$build/bench/venv/bin/python" python3; do
    if [ -n "$candidate" ] && has_torch "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "skipped: conversions, no Python with PyTorch 2.6 (python3, or AIANIME_BENCH_PYTHON=PROGRAM)"
    finish
fi

"$python" - <<'PYTHON' || exit 1
import os
import sys
import types

import torch

weight = torch.arange(32.0).reshape(8, 4)

# A class of a training program that is not installed where the file is read.
module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": module.__name__})
sys.modules.update({"pytorch_lightning": types.ModuleType("p"), "pytorch_lightning.callbacks": types.ModuleType("p"), module.__name__: module})
callback = module.ModelCheckpoint()
callback.best = 0.5

class Evil:
    def __reduce__(self):
        return os.system, ("touch marker",)

motion = {"module.down_blocks.0.motion_modules.0.temporal_transformer.norm.weight": weight[0],
          "module.down_blocks.0.motion_modules.0.temporal_transformer.norm.bias": weight[0]}
for old in (False, True):
    kind = "old" if old else "zip"
    def save(content, name):
        torch.save(content, f"{kind}_{name}", _use_new_zipfile_serialization=not old)
    save({"epoch": 3, "global_step": 9, "state_dict": motion, "callbacks": {"x": callback}, "lr": [1e-4]}, "motion.ckpt")
    save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": weight}, "name": "bad hands", "step": 5}, "inversion.pt")
    save({"image_proj": {"proj.weight": weight.half()}, "ip_adapter": {"1.to_k_ip.weight": weight.bfloat16()}}, "adapter.bin")
    save({"a": weight, "part": weight[2:], "turned": weight.t(), "scalar": torch.tensor(2, dtype=torch.int64), "wide": weight.double(),
          "empty": torch.zeros(0), "note": "text"}, "mixed.pth")
    save({"a": weight, "evil": Evil()}, "evil.pt")
torch.save({"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(weight)})}, "parameters.pt")
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "script.pt")
open("cut.pt", "wb").write(open("zip_mixed.pth", "rb").read()[:700])
PYTHON

for kind in zip old; do
    convert "$kind: state_dict, module. and a foreign class" 0 ': 2 tensors' ${kind}_motion.ckpt
    info "$kind: motion module" 0 'motion module' ${kind}_motion.safetensors
    convert "$kind: textual inversion" 0 ': 1 tensor,' ${kind}_inversion.pt
    info "$kind: its name is kept" 0 'name: bad hands' ${kind}_inversion.safetensors
    convert "$kind: IP-Adapter" 0 ': 2 tensors' ${kind}_adapter.bin
    info "$kind: IP-Adapter" 0 'IP-Adapter' ${kind}_adapter.safetensors
    convert "$kind: slices, scalars, wide and empty tensors" 0 'empty: left out' ${kind}_mixed.pth
    convert "$kind: code" 1 'wants to call (posix|os)\.system, which could run code' ${kind}_evil.pt
done
convert "a ParameterDict" 0 ': 1 tensor,' parameters.pt
convert "TorchScript" 1 'TorchScript' script.pt
convert "a file cut short" 1 'damaged' cut.pt
convert "an existing file is kept" 1 'there already; --force' zip_mixed.pth
convert "an existing file is replaced" 0 ': 5 tensors' --force zip_mixed.pth
convert "the original is never replaced" 1 'name another file' --force -o zip_mixed.pth zip_mixed.pth
mkdir out
convert "to a folder" 0 'out/zip_mixed.safetensors' -o out zip_mixed.pth
cp zip_mixed.pth pytorch_model.bin
convert "under the name transformers looks for" 0 '^convert_pickle: model\.safetensors' pytorch_model.bin
if [ -e marker ] || ls -A | grep -q '^\.'; then
    echo "FAIL nothing was run and nothing is left over: $(ls -A | tr '\n' ' ')"
    failed=$((failed + 1))
else
    echo "ok nothing was run and nothing is left over"
    passed=$((passed + 1))
fi

"$python" - >"$tmp/log" 2>&1 <<'PYTHON'
import json, struct, torch
weight = torch.arange(32.0).reshape(8, 4)
def load(name):
    data = open(name, "rb").read()
    length = int.from_bytes(data[:8], "little")
    assert (8 + length) % 8 == 0
    header = json.loads(data[8:8 + length])
    types = {"F32": torch.float32, "I64": torch.int64}
    body = bytearray(data[8 + length:])
    return {name: torch.frombuffer(body[slice(*entry["data_offsets"])], dtype=types[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}
for kind in ("zip", "old"):
    mixed = load(f"{kind}_mixed.safetensors")
    wanted = {"a": weight, "part": weight[2:], "turned": weight.t(), "scalar": torch.tensor(2), "wide": weight}
    assert sorted(mixed) == sorted(wanted), sorted(mixed)
    for name, tensor in wanted.items():
        assert torch.equal(mixed[name], tensor), name
print("equal")
PYTHON
check "the numbers are the same" $? 0 '^equal'
finish
