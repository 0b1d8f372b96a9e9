# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a LoRA in training is called and how it is to be moved, for tests/test_lora_layers.cpp, on the networks of make_lora.py.

    python3 tests/golden/make_lora_layers.py

Needs diffusers and transformers. Writes lora_layers/<case>.txt: the tensors of a LoRA under the names and with the shapes that
kohya's trainer gives them, its layers found as that does it (by the classes of diffusers' modules), in alphabetical order; and
<case>.safetensors: an input, the networks' output for it when value i of tensor j is 0.3 cos(0.37 i + j), and the loss's derivative
by all values of up and down, one behind the other, from PyTorch's autograd through torch.func.functional_call.
"""

import pathlib

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

HERE = pathlib.Path(__file__).parent
RANK, ALPHA, CONV_RANK, CONV_ALPHA = 3, 2.0, 2, 1.0


def kohya_layers(model, classes, prefix):
    for name, module in model.named_modules():
        if module.__class__.__name__ not in classes:
            continue
        for child_name, child in module.named_modules():
            if isinstance(child, (torch.nn.Linear, torch.nn.Conv2d)):
                full = f"{name}.{child_name}"
                yield prefix + full.replace(".", "_"), full + ".weight", child.weight


def lora_of(layers):
    tensors, places = {}, {}
    for name, place, weight in layers:
        conv = weight.dim() == 4 and weight.shape[2] > 1
        rank, alpha = (CONV_RANK, CONV_ALPHA) if conv else (RANK, ALPHA)
        down = (rank, *weight.shape[1:])
        up = (weight.shape[0], rank, *[1] * (weight.dim() - 2))
        tensors[name + ".lora_down.weight"] = torch.empty(down)
        tensors[name + ".lora_up.weight"] = torch.empty(up)
        tensors[name + ".alpha"] = torch.tensor(alpha)
        places[place] = name
    return tensors, places


def merged(model, tensors, places):
    weights = dict(model.named_parameters())
    for place, name in places.items():
        down, up, alpha = (tensors[name + end] for end in (".lora_down.weight", ".lora_up.weight", ".alpha"))
        change = alpha / down.shape[0] * (up.flatten(1) @ down.flatten(1))
        weights[place] = weights[place] + change.view_as(weights[place])
    return weights


def make(case, classes, train_text):
    generator = torch.Generator().manual_seed(len(case))
    unet = UNet2DConditionModel.from_pretrained(HERE / "lora/unet").float().eval().requires_grad_(False)
    text = CLIPTextModel.from_pretrained(HERE / "lora/text").float().eval().requires_grad_(False)
    tensors, places = lora_of(kohya_layers(unet, classes, "lora_unet_"))
    text_tensors, text_places = {}, {}
    if train_text:
        found = list(kohya_layers(text, ["CLIPAttention", "CLIPSdpaAttention", "CLIPMLP"], "lora_te_"))
        # transformers 5 leaves "text_model." out of the module's names; files have it.
        found = [(n if "text_model" in n else n.replace("lora_te_", "lora_te_text_model_", 1), p, w) for n, p, w in found]
        text_tensors, text_places = lora_of(found)
    trained = {**tensors, **text_tensors}
    for j, name in enumerate(sorted(trained)):
        if not name.endswith(".alpha"):
            i = torch.arange(trained[name].numel(), dtype=torch.float64)
            trained[name].copy_((0.3 * torch.cos(0.37 * i + j)).view_as(trained[name])).requires_grad_()

    x = torch.randn(2, 4, 16, 16, generator=generator)
    times = torch.tensor([700.0, 30.0])
    ids = torch.randint(0, 38, (2, 8), generator=generator)
    seen = torch.func.functional_call(text, merged(text, trained, text_places), (ids,)).last_hidden_state
    # The text encoder is wider than the U-Net's attention.
    seen = seen[..., :6]
    out = torch.func.functional_call(unet, merged(unet, trained, places), (x, times, seen)).sample
    loss = (out - x).square().mean()
    loss.backward()
    names = sorted(trained)
    gradient = torch.cat([trained[name].grad.flatten() for name in names if not name.endswith(".alpha")])
    folder = HERE / "lora_layers"
    folder.mkdir(exist_ok=True)
    lines = (f"{name} {'x'.join(map(str, trained[name].shape)) or trained[name].item()}\n" for name in names)
    (folder / f"{case}.txt").write_text("".join(lines))
    save_file({"x": x, "times": times, "ids": ids, "out": out.detach(), "gradient": gradient}, folder / f"{case}.safetensors")
    print(case, len(places), "and", len(text_places), "layers, loss", loss.item())


make("attention", ["Transformer2DModel"], False)
make("everything", ["Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D"], True)
