# SPDX-License-Identifier: LGPL-2.1-or-later
"""Weights that are a function of a tensor's name, so that a list of names and shapes stands for a whole file (tests/support_synthetic.h makes
the same). Every value fits bfloat16 and float16 exactly: a file may store it in any precision."""

import math
import zlib

import numpy
import torch


def synthetic(name, shape):
    count = math.prod(shape)
    state = (zlib.crc32(name.encode()) + numpy.arange(count, dtype=numpy.uint64) * 2654435761) & 0xFFFFFFFF
    state = ((state ^ (state >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF
    state ^= state >> 13
    steps = (state & 255).astype(numpy.float64) - 128
    if len(shape) > 1:
        exponent = math.ceil(math.log2(math.sqrt(math.prod(shape[1:])))) - 1
        values = steps / 128 * 2.0**-exponent
    elif name.endswith("weight"):
        values = 1 + numpy.floor(steps / 16) / 32
    else:
        values = steps / 1024
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


def write_list(path, entries):
    """entries: {name: (dtype as safetensors spells it, shape)}"""
    lines = [f"{name} {dtype} {','.join(str(side) for side in shape)}" for name, (dtype, shape) in sorted(entries.items())]
    path.write_text("\n".join(lines) + "\n")
