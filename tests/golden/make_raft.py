# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of RAFT, computed by torchvision's own definition in float32, for test_raft.cpp.

Weights are functions of their names (synthetic.py), so that networks of full size need no file: there is a list of names and shapes
of each. Where the code that RAFT comes from (github.com/princeton-vl/RAFT) is given, also by that, with its own names.
Run: python3 make_raft.py [FOLDER OF THAT CODE]
"""

import argparse
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torchvision.models.optical_flow import raft_large, raft_small

from synthetic import synthetic, write_list

FOLDER = pathlib.Path(__file__).parent / "raft"
SAFETENSORS = {torch.float32: "F32", torch.int64: "I64"}
UPDATES = 4


def value(name, shape):
    if name.endswith("running_var"):
        return 1 + 4 * synthetic(name, shape)
    return 8 * synthetic(name, shape) if name.endswith("running_mean") else synthetic(name, shape)


def fill(network):
    for name, tensor in network.state_dict().items():
        if tensor.dim():
            tensor.copy_(value(name, tuple(tensor.shape)))
    return network.eval()


def picture(name, height=136, width=152):
    """In [0, 1], some of it smooth."""
    noise = synthetic(name, (1, 3, height // 8, width // 8))
    return torch.nn.functional.interpolate(noise * 8, (height, width), mode="bilinear").add(synthetic(name + " fine", (1, 3, height, width))).mul(0.5).add(0.5).clamp(0, 1)


def save(name, network, flow):
    assert 0.5 < flow.abs().mean() < 20, flow.abs().mean()
    write_list(FOLDER / f"{name}.txt", {key: (SAFETENSORS[tensor.dtype], tuple(tensor.shape))
                                        for key, tensor in network.state_dict().items()})
    save_file({"flow": flow[:, :, ::4, ::4].contiguous()}, FOLDER / f"{name}_io.safetensors")
    count = sum(parameter.numel() for parameter in network.parameters())
    print(name, count, "flow", flow.abs().mean().item(), flow.abs().max().item(), flow.std().item())


def original_network(folder, size):
    sys.path.insert(0, str(pathlib.Path(folder) / "core"))
    from raft import RAFT

    return torch.nn.DataParallel(RAFT(Options(small=size == "small", mixed_precision=False, alternate_corr=False, dropout=0)))


class Options(argparse.Namespace):
    def __contains__(self, name):
        return hasattr(self, name)


@torch.no_grad()
def main():
    FOLDER.mkdir(exist_ok=True)
    a, b = picture("a"), picture("b")
    for size, make in (("large", raft_large), ("small", raft_small)):
        network = fill(make())
        save(size, network, network(2 * a - 1, 2 * b - 1, UPDATES)[-1])
        if len(sys.argv) > 1:
            network = fill(original_network(sys.argv[1], size))
            save(f"original_{size}", network, network.module(255 * a, 255 * b, UPDATES, test_mode=True)[1])


main()
