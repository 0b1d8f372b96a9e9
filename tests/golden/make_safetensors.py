# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file as the safetensors package writes it, for tests/test_safetensors_writer.cpp, which writes the same one byte for byte.

    python3 tests/golden/make_safetensors.py

Element i of each tensor is i + 1 in its type (booleans: i odd); metadata has one entry, because the package keeps no order of them.
"""

import os

import torch
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "safetensors")
SHAPES = {
    "b.weight": (torch.float32, (2, 3)),
    "a.weight": (torch.float32, (5,)),
    "half": (torch.float16, (3, 1, 2)),
    "brain": (torch.bfloat16, (7,)),
    "long": (torch.int64, ()),
    "int": (torch.int32, (3,)),
    "byte": (torch.uint8, (3,)),
    "flags": (torch.bool, (5,)),
    'quoted "\\" \u00e9\u3042': (torch.uint8, (1,)),
}


def values(dtype, shape):
    count = torch.Size(shape).numel()
    if dtype == torch.bool:
        return (torch.arange(count) % 2).bool().reshape(shape)
    return (torch.arange(count) + 1).to(dtype).reshape(shape)


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    save_file({name: values(*entry) for name, entry in SHAPES.items()}, os.path.join(FOLDER, "all_types.safetensors"),
              {"note": 'line\n"two" \\ \t\u0001 \u00fc'})
    save_file({}, os.path.join(FOLDER, "empty.safetensors"))
