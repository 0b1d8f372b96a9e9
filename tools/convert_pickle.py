#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns a PyTorch pickle (.ckpt, .pt, .pth, .bin) into a safetensors file beside it.

usage: python3 convert_pickle.py FILE [-o OUT] [--force]

Only tensors are taken over; nothing in the file is executed: torch.load(weights_only=True) reads it, and what that refuses is
refused here. Needs PyTorch 2.6 or newer, nothing else. Exit status: 0 done, 1 not converted (one line says why), 2 wrong usage.
"""

import argparse
import ctypes
import json
import os
import re
import sys
import tempfile
import warnings

# Before 2.6 a crafted file could run code in spite of weights_only (CVE-2025-32434).
OLDEST_TORCH = (2, 6)
# Wrappings of the tensors that training programs use, in the order they are looked for.
WRAPPERS = ("state_dict", "model_state_dict", "params_ema", "params", "model")
# Programs that leave objects of their own beside the weights. An inert object takes the place of each.
BESIDE_WEIGHTS = ("pytorch_lightning", "lightning", "lightning_fabric", "numpy", "omegaconf")
PARAMETER_DICT = "torch.nn.modules.container.ParameterDict"  # of old textual inversions


class Refused(Exception):
    """A file that is not converted; the text is for the user."""


class Inert(dict):
    """Stands for an object of a class that is never imported. Keeps what was in it, does nothing with it."""

    def __init__(self, *_args, **_named):
        super().__init__()

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.update(state.get("_parameters", {}))


def main():
    given = arguments()
    target = given.output or beside(given.file)
    if os.path.isdir(target):
        target = os.path.join(target, os.path.basename(beside(given.file)))
    try:
        check_kind(given.file)
        if os.path.exists(target) and os.path.samefile(given.file, target):
            raise Refused("would be replaced by what is made of it; name another file with -o")
        if os.path.exists(target) and not given.force:
            raise Refused(f"{target} is there already; --force replaces it, -o names another one")
        tensors, metadata, notes = collect(load(given.file))
        write(target, tensors, metadata)
    except Refused as refused:
        print(f"convert_pickle: {given.file}: {refused}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"convert_pickle: {error}", file=sys.stderr)
        return 1
    for note in notes:
        print(f"convert_pickle: {note}")
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    print(f"convert_pickle: {target}: {len(tensors)} tensor{'s' if len(tensors) != 1 else ''}, {total} bytes")
    return 0


def arguments():
    parser = argparse.ArgumentParser(prog="convert_pickle.py", description=__doc__.split("\n", 1)[0])
    parser.add_argument("file", metavar="FILE", help="a .ckpt, .pt, .pth or .bin file")
    parser.add_argument("-o", dest="output", metavar="OUT", help="file to write, or a folder [FILE's name with .safetensors]")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    return parser.parse_args()


def beside(path):
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    # transformers calls its pickles pytorch_model.bin and their safetensors model.safetensors.
    return os.path.join(folder, ("model" if stem == "pytorch_model" else stem) + ".safetensors")


# --- reading --------------------------------------------------------------------------------------------------------


def load(path):
    torch = import_torch()
    stand_ins = [(Inert, PARAMETER_DICT)]
    while True:
        try:
            with torch.serialization.safe_globals(stand_ins), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return torch.load(path, map_location="cpu", weights_only=True)
        except OSError:
            raise
        except Exception as error:  # a damaged file can fail in any way
            name = beside_weights(str(error))
            if not name or (Inert, name) in stand_ins:
                raise Refused(reason(error)) from None
            stand_ins.append((Inert, name))


def check_kind(path):
    with open(path, "rb") as file:
        head = file.read(64)
    if len(head) >= 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000:
        raise Refused("is a safetensors file already")
    if head.startswith(b"version https://git-lfs"):
        raise Refused('is a Git LFS pointer, not the weights themselves: fetch them with "git lfs pull"')
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise Refused("is a web page: the download went wrong, fetch the file again")


def import_torch():
    try:
        import torch
    except ImportError:
        raise Refused("PyTorch is needed to read it: pip install torch") from None
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < OLDEST_TORCH:
        raise Refused(f"PyTorch {torch.__version__} is too old: a file could run code in spite of weights_only "
                      "(CVE-2025-32434); 2.6 or newer is needed")
    return torch


def unsupported(text):
    """The class or function that PyTorch would not call."""
    found = re.search(r"GLOBAL ([^ ]+)", text) if "nsupported" in text else None
    return found and found.group(1)


def beside_weights(text):
    name = unsupported(text)
    return name if name and name.split(".")[0] in BESIDE_WEIGHTS else None


def reason(error):
    name = unsupported(str(error))
    if name:
        return f"wants to call {name}, which could run code; nothing of it was run, and it is not converted"
    if "TorchScript" in str(error):
        return "is a TorchScript archive, a program and not only weights; look for the same model's weights"
    # What stands in front is advice to load the file without the guard.
    said = str(error).split("WeightsUnpickler error:")[-1].strip().split("\n")[0]
    return f"is damaged or no PyTorch file that holds only weights ({said or type(error).__name__})"


# --- unwrapping -----------------------------------------------------------------------------------------------------


def collect(content):
    """The tensors by name, text for the file's metadata, and notes for the user."""
    import torch

    if isinstance(content, torch.Tensor):
        raise Refused("is a bare tensor without a name, not weights")
    if not isinstance(content, dict):
        raise Refused(f"holds a {type(content).__name__}, not named tensors")
    metadata = {"format": "pt"}
    if isinstance(content.get("string_to_param"), dict):
        named = embedding(content, metadata)
    else:
        named = unmodule(flatten(unwrap(content)))
    tensors, notes = readable(named)
    if not tensors:
        raise Refused("holds no tensors")
    return tensors, metadata, notes


def has_tensors(content):
    import torch

    return any(isinstance(value, torch.Tensor) or isinstance(value, dict) and has_tensors(value) for value in content.values())


def unwrap(content):
    for name in WRAPPERS:
        if isinstance(content.get(name), dict) and has_tensors(content[name]):
            return unwrap(content[name])
    return content


def embedding(content, metadata):
    """A textual inversion as the web UI writes it: one tensor, its name beside it."""
    vectors = content["string_to_param"]
    if isinstance(content.get("name"), str):
        metadata["name"] = content["name"]
    return {"emb_params": next(iter(vectors.values()))} if len(vectors) == 1 else dict(vectors)


def flatten(content, prefix=""):
    """IP-Adapters are two dicts, image_proj and ip_adapter: their names become prefixes. So for every dict in a dict."""
    named = {}
    for name, value in content.items():
        if isinstance(value, dict):
            named.update(flatten(value, f"{prefix}{name}."))
        else:
            named[f"{prefix}{name}"] = value
    return named


def unmodule(named):
    """Takes off the "module." that parallel training puts in front of every name."""
    import torch

    while names := [name for name, value in named.items() if isinstance(value, torch.Tensor)]:
        if not all(name.startswith("module.") for name in names):
            break
        named = {name[7:] if name.startswith("module.") else name: value for name, value in named.items()}
    return named


def readable(named):
    """What aianime reads: dense tensors of its number types, each with storage of its own."""
    import torch

    kept = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool)
    tensors, notes, dropped, converted = {}, [], [], {}
    for name, value in named.items():
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized or value.is_complex():
            dropped.append(name)
        elif value.numel() == 0:
            notes.append(f"{name}: left out, it has no elements")
        else:
            tensor = value.detach().resolve_neg()
            if tensor.dtype not in kept:
                wanted = torch.int32 if not tensor.is_floating_point() else torch.float32
                change = f"{str(tensor.dtype)[6:]} becomes {str(wanted)[6:]}"
                converted[change] = converted.get(change, 0) + 1
                tensor = tensor.to(wanted)
            tensors[name] = tensor.contiguous()
    notes += [f"{count} tensor{'s' if count != 1 else ''}: {change}" for change, count in converted.items()]
    if dropped:
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        notes.append("left out, not tensors: " + ", ".join(str(name) for name in dropped[:5]) + more)
    return tensors, notes


# --- writing --------------------------------------------------------------------------------------------------------


def write(path, tensors, metadata):
    """Beside its place first and renamed when it is whole, so that a file under the name is a good one."""
    # Wide numbers first: every tensor is aligned to its own.
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    folder = os.path.dirname(os.path.abspath(path))
    handle, part = tempfile.mkstemp(prefix="." + os.path.basename(path) + ".", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header(order, tensors, metadata))
            for name in order:
                file.write(raw_bytes(tensors[name]))
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def header(order, tensors, metadata):
    names = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL"}
    described, end = {"__metadata__": metadata}, 0
    for name in order:
        tensor = tensors[name]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        described[name] = {"dtype": names[str(tensor.dtype)[6:]], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def raw_bytes(tensor):
    """The tensor's own memory; needs no numpy and makes no copy."""
    return (ctypes.c_char * (tensor.numel() * tensor.element_size())).from_address(tensor.data_ptr())


if __name__ == "__main__":
    sys.exit(main())
