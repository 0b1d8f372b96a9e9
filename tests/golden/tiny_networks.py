# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the scripts that make goldens of networks share: random weights that leave no layer without effect, and one way to store a case."""

import json
import pathlib

import torch
from safetensors.torch import save_file


def randomize(network, seed):
    """Fills every parameter; scales keep activations near one, so that relative errors mean something in every layer.

    Values are rounded to bfloat16, so that a file may store them in either type.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1:
            noise *= tensor[0].numel() ** -0.5
        elif name.endswith("weight"):
            noise = 1 + 0.2 * noise
        else:
            noise *= 0.2
        tensor.copy_(noise.to(torch.bfloat16))


def rand(shape, seed, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def save_case(name, network, tensors, rename=lambda name: name, dtype=torch.float32):
    """A folder as diffusers writes it, and beside it io.safetensors with the inputs and the reference's outputs."""
    folder = pathlib.Path(__file__).parent / name
    folder.mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in network.config.items() if not key.startswith("_")}
    config["_class_name"] = type(network).__name__
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    weights = {rename(key): value.to(dtype).contiguous() for key, value in network.state_dict().items()}
    save_file(weights, folder / "diffusion_pytorch_model.safetensors")
    save_file({key: value.detach().float().contiguous() for key, value in tensors.items()}, folder / "io.safetensors")
    size = (folder / "diffusion_pytorch_model.safetensors").stat().st_size
    assert size < 150_000, f"{folder}: {size} bytes"
    print(folder.name, size, {key: tuple(value.shape) for key, value in tensors.items()})
