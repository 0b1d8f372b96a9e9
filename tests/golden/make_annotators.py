# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the annotators, computed by controlnet_aux's own networks and detectors in float32, for test_annotators.cpp.

Needs what make_preprocess.py needs, and torchvision and timm 0.6.13. Widths are fixed in the published definitions: they are built with torch.nn's convolutions
replaced by ones of a sixteenth of the channels. Run: python3 make_annotators.py
"""

import functools
import importlib
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

from annotator_reference import reference
from make_preprocess import scene
from tiny_networks import rand

FOLDER = pathlib.Path(__file__).parent / "annotators"


class Namespace:
    """A module with some of its names replaced."""

    def __init__(self, module, **replaced):
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


def narrow(channels):
    return channels // 16 if channels % 64 == 0 else channels


def narrow_nn():
    def build(layer):
        def make(in_channels, out_channels, *args, **kwargs):
            return layer(narrow(in_channels), narrow(out_channels), *args, **kwargs)
        return make
    return Namespace(torch.nn, Conv2d=build(torch.nn.Conv2d), ConvTranspose2d=build(torch.nn.ConvTranspose2d))


def randomize(network, seed, gain=1.4):
    """Values that float16 holds; activations stay near one behind rectifiers."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1:
            noise *= gain * tensor[0].numel() ** -0.5
        elif name.endswith("weight"):
            noise = 1 + 0.2 * noise
        else:
            noise *= 0.2
        tensor.copy_(noise.half())
    return network.eval()


def save(name, weights, tensors):
    FOLDER.mkdir(exist_ok=True)
    save_file({key: value.half().contiguous() for key, value in weights.items()}, FOLDER / f"{name}.safetensors")
    tensors = {key: torch.as_tensor(np.ascontiguousarray(value)) for key, value in tensors.items()}
    save_file(tensors, FOLDER / f"{name}_io.safetensors")
    sizes = [(FOLDER / f"{name}{part}.safetensors").stat().st_size for part in ("", "_io")]
    assert max(sizes) < 150_000, (name, sizes)
    print(name, sizes, {key: (tuple(value.shape), value.float().std().item()) for key, value in tensors.items()})


def detected(detector, picture, **kwargs):
    side = min(picture.shape[:2])
    return detector(picture, detect_resolution=side, image_resolution=side, output_type="np", **kwargs)[:, :, 0]


def lineart():
    module = reference("lineart")
    module.nn = narrow_nn()
    network = randomize(module.Generator(3, 1, 3), 1)
    x, picture = rand((2, 3, 24, 32), 2).abs(), scene(128, 64, 5)
    detector = module.LineartDetector(network, network)
    save("lineart", network.state_dict(), {"x": x, "out": network(x), "frame": picture, "picture": detected(detector, picture)})


def lineart_anime():
    module = reference("lineart_anime")
    norm = functools.partial(torch.nn.InstanceNorm2d, affine=False, track_running_stats=False)
    network = randomize(module.UnetGenerator(3, 1, 8, 2, norm_layer=norm), 3)
    weights = {"module." + key: value for key, value in network.state_dict().items()}
    # The input is too large to be stored: a corner, repeated on a ramp.
    corner, frame = rand((1, 3, 64, 64), 4), scene(64, 64, 6)
    out = network(corner.repeat(1, 1, 4, 4) + torch.linspace(-1, 1, 256))
    detector = module.LineartAnimeDetector(network)
    # At 256 pixels the detector does not resize, at 64 it does.
    save("lineart_anime", weights, {"x": corner, "out": out[:, :, ::4, ::4], "frame": frame, "resized": detected(detector, frame),
                                    "picture": detected(detector, frame.repeat(4, axis=0).repeat(4, axis=1))[::4, ::4]})


def softedge():
    module = reference("hed")
    module.torch = Namespace(torch, nn=narrow_nn())
    module.torch.nn.Module = torch.nn.Module
    network = module.ControlNetHED_Apache2()
    randomize(network, 7)
    network.norm.copy_(torch.tensor([123.0, 117.0, 104.0]).reshape(1, 3, 1, 1))
    for block in (network.block1, network.block2, network.block3, network.block4, network.block5):
        block.projection.weight.mul_(1 / 64)  # pixels are in [0, 255]; a power of two, exact
    x, picture = 255 * torch.rand((1, 3, 32, 48), generator=torch.Generator().manual_seed(8)), scene(128, 64, 9)
    maps = {f"map{i}": value for i, value in enumerate(network(x))}
    save("softedge", network.state_dict(), {"x": x, **maps, "frame": picture,
                                            "picture": detected(module.HEDdetector(network), picture)})


def depth():
    """DPT-Hybrid from the parts that timm and the published definition make it of, in small."""
    resnet, transformer, hybrid = (importlib.import_module("timm.models." + name)
                                   for name in ("resnetv2", "vision_transformer", "vision_transformer_hybrid"))
    norm = functools.partial(resnet.GroupNormAct, num_groups=2)
    backbone = resnet.ResNetV2(layers=(2, 1, 2), channels=(16, 24, 32), num_classes=0, global_pool="", preact=False, stem_chs=8,
                               stem_type="same", conv_layer=functools.partial(hybrid.StdConv2dSame, eps=1e-8), norm_layer=norm)
    model = transformer.VisionTransformer(img_size=64, patch_size=1, embed_dim=16, depth=4, num_heads=2, num_classes=3,
                                          embed_layer=functools.partial(hybrid.HybridEmbed, backbone=backbone))
    vit, blocks, dpt = (reference("midas.midas." + name) for name in ("vit", "blocks", "dpt_depth"))
    features = [16, 24, 20, 28]
    dpt._make_encoder = lambda *args, **kwargs: (
        vit._make_vit_b_rn50_backbone(model, features=features, size=[64, 64], hooks=[0, 1, 2, 3], vit_features=16,
                                      use_readout="project"), blocks._make_scratch(features, 12))
    network = randomize(dpt.DPTDepthModel(features=12), 10, gain=1.0)
    network.scratch.output_conv[4].bias.fill_(6)
    x, picture = rand((2, 3, 96, 64), 11).half(), scene(128, 64, 12)
    out = network(x.float())
    assert (out > 0).float().mean() > 0.9
    save("depth", network.state_dict(), {"x": x, "out": out[:, ::2, ::2], "frame": picture,
                                         "picture": detected(reference("midas").MidasDetector(network), picture)})


@torch.no_grad()
def main():
    lineart()
    lineart_anime()
    softedge()
    depth()


if __name__ == "__main__":
    main()
