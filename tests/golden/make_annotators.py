# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the annotators, computed by controlnet_aux's own networks and detectors in float32, for test_annotators.cpp.

Needs what make_preprocess.py needs, and torchvision, transformers and timm 0.6.13. Widths are fixed in the published definitions: they are built with torch.nn's convolutions
replaced by ones of a sixteenth of the channels. Run: python3 make_annotators.py
"""

import ast
import functools
import importlib
import inspect
import pathlib
import re
import sys

import numpy as np
import scipy.ndimage
import torch
from safetensors.torch import save_file
from transformers import DPTConfig, DPTForDepthEstimation

from annotator_reference import reference
from make_preprocess import scene
from synthetic import synthetic, write_list
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
    if channels == 185:  # a stage of the body pose network sees both kinds of maps beside the features
        return narrow(128) + 57
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
    if weights:
        save_file({key: value.half().contiguous() for key, value in weights.items()}, FOLDER / f"{name}.safetensors")
    tensors = {key: torch.as_tensor(np.ascontiguousarray(value)) for key, value in tensors.items()}
    save_file(tensors, FOLDER / f"{name}_io.safetensors")
    sizes = [path.stat().st_size for path in FOLDER.glob(f"{name}*.safetensors")]
    assert max(sizes) < 200_000, (name, sizes)
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


PEOPLE = (  # nose to left ear as in vision/pose.h, in pixels of 256x128; None: not in the picture
    ((60, 22), (60, 36), (48, 38), (40, 54), (36, 70), (72, 38), (80, 54), (86, 68), (52, 72), (50, 94), (48, 116), (68, 72), (70, 94),
     (72, 116), (57, 19), (63, 19), (53, 21), (67, 21)),
    ((170, 40), (172, 52), (160, 52), (150, 60), None, (184, 54), (196, 46), (206, 36), (164, 84), (160, 106), None, (180, 84), None,
     None, (167, 37), (173, 37), None, (178, 39)),
    ((230, 30), (230, 40), (222, 42), None, None, None, None, None, None, None, None, None, None, None, None, None, None, None),
)


def pose_maps(limbs, places, rows, columns, scale):
    """Maps as a trained network would give them for PEOPLE: a bump on every joint, a field along every limb, an eighth of the size."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    x, y = (x + 0.5) * 8 / scale, (y + 0.5) * 8 / scale
    heat, affinity = np.zeros((19, rows, columns)), np.zeros((38, rows, columns))
    for strength, person in zip((0.9, 0.8, 0.7), PEOPLE):
        for joint, at in enumerate(person):
            if at:
                heat[joint] = np.maximum(heat[joint], strength * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 40))
        for (start, end), (first, _) in zip(limbs, places):
            a, b = person[start - 1], person[end - 1]
            if not a or not b:
                continue
            way = np.subtract(b, a) / np.hypot(*np.subtract(b, a))
            along = (x - a[0]) * way[0] + (y - a[1]) * way[1]
            across = np.abs((x - a[0]) * way[1] - (y - a[1]) * way[0])
            inside = (across < 6) & (along > -6) & (along < np.hypot(*np.subtract(b, a)) + 6)
            affinity[first - 19][inside], affinity[first - 18][inside] = strength * way[0], strength * way[1]
    heat[18] = 1 - heat[:18].max(axis=0)
    return torch.from_numpy(affinity)[None].half().float(), torch.from_numpy(heat)[None].half().float()


def openpose():
    sys.modules["scipy.ndimage.filters"] = scipy.ndimage  # where gaussian_filter lives now
    module = reference("open_pose")
    model = reference("open_pose.model")
    model.nn = narrow_nn()
    network = model.bodypose_model().eval()
    # Its kernels of 7x7 would make a large file: weights by name.
    names = {key: key.split(".", 1)[1] for key in network.state_dict()}
    # Kernels are doubled, or nothing of the picture would come through so many layers.
    network.load_state_dict({key: synthetic(names[key], value.shape) * (2 if value.dim() == 4 else 1)
                             for key, value in network.state_dict().items()})
    write_list(FOLDER / "openpose.txt", {names[key]: ("F16", tuple(value.shape)) for key, value in network.state_dict().items()})
    x = rand((1, 3, 32, 48), 14)
    (affinity, heat), other = network(x), network(-x)
    assert min(((a - b).abs().max() / a.abs().max()).item() for a, b in zip((affinity, heat), other)) > 0.1
    assert 0.1 < (heat > 0).float().mean() < 0.9

    # The detector around the network: what it shows it, and what it makes of a trained network's maps.
    source = inspect.getsource(reference("open_pose.body"))
    limbs, places = (ast.literal_eval(re.sub(r"\\\n", "", re.search(name + r" = (\[\[.*?\]\])", source, re.S)[1]))
                     for name in ("limbSeq", "mapIdx"))
    seen = []

    class Trained(torch.nn.Linear):
        def forward(self, picture):
            seen.append(picture)
            return pose_maps(limbs, places, picture.shape[2] // 8, picture.shape[3] // 8, 184 / 128)

    body = module.Body.__new__(module.Body)
    body.model = Trained(1, 1)
    detector, frame, people = module.OpenposeDetector(body), scene(128, 64, 5), np.zeros((128, 256, 3), np.uint8)  # lineart's frame
    detector(frame, detect_resolution=64, image_resolution=64)
    picture = detector(people, detect_resolution=128, image_resolution=128, output_type="np")
    assert len(body(people)[1]) == 2
    maps = body.model(seen[1])
    tensors = {"x": x, "affinity": affinity, "heat": heat, "seen": seen[0][:, :, ::9, ::11],
               "people_affinity": maps[0].half(), "people_heat": maps[1].half(), "people": picture[::2, ::3]}
    save("openpose", None, tensors)


def full_size():
    """Names and shapes of the real files: sizes are those of lllyasviel/Annotators."""
    norm = functools.partial(torch.nn.InstanceNorm2d, affine=False, track_running_stats=False)
    import timm
    for module, name in (("lineart", "nn"), ("hed", "torch"), ("open_pose.model", "nn"), ("midas.midas.dpt_depth", None)):
        if name:
            setattr(reference(module), name, {"nn": torch.nn, "torch": torch}[name])
    dpt = importlib.reload(reference("midas.midas.dpt_depth"))
    with torch.device("meta"):
        networks = {
            "lineart": (reference("lineart").Generator(3, 1, 3), "", "F32", 17.2e6),
            "lineart_anime": (reference("lineart_anime").UnetGenerator(3, 1, 8, 64, norm_layer=norm), "module.", "F32", 218e6),
            "softedge": (reference("hed").ControlNetHED_Apache2(), "", "F16", 29.4e6),
            "openpose": (reference("open_pose.model").bodypose_model(), None, "F32", 209e6),
        }
    networks["depth"] = dpt.DPTDepthModel(backbone="vitb_rn50_384"), "", "F32", 493e6
    for type_, (network, prefix, dtype, size) in networks.items():
        state = network.state_dict()
        names = {key.split(".", 1)[1] if prefix is None else prefix + key: (dtype, tuple(value.shape)) for key, value in state.items()}
        found = sum(value.numel() for value in state.values()) * (2 if dtype == "F16" else 4)
        assert abs(found / size - 1) < 0.01, (type_, found, size)
        write_list(FOLDER / f"full_{type_}.txt", names)
        print("full", type_, found)


def depth_transformers():
    """The same network as transformers names it; weights by name."""
    def build(groups=2, **kwargs):
        bit = dict(model_type="bit", embedding_dynamic_padding=True, global_padding="SAME", layer_type="bottleneck", num_groups=groups,
                   out_features=["stage1", "stage2", "stage3"])
        bit |= {key: kwargs.pop(key) for key in ("depths", "embedding_size") if key in kwargs}
        bit["hidden_sizes"] = kwargs.pop("resnet")
        return DPTForDepthEstimation(DPTConfig(is_hybrid=True, readout_type="project", backbone_config=bit, **kwargs)).eval()

    network = build(depths=[2, 1, 2], embedding_size=8, resnet=[16, 24, 32], backbone_featmap_shape=[1, 32, 4, 4], image_size=64,
                    hidden_size=16, intermediate_size=64, num_hidden_layers=4, num_attention_heads=2, fusion_hidden_size=12,
                    backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[16, 24, 20, 28])
    network.load_state_dict({key: synthetic(key, value.shape) for key, value in network.state_dict().items()})
    network.head.head[4].weight.abs_()  # or most of the depth is below 0, and cut
    write_list(FOLDER / "depth_transformers.txt", {key: ("F32", tuple(value.shape)) for key, value in network.state_dict().items()})
    x = rand((2, 3, 96, 64), 11).half().float()[:, :, :64]  # depth's; transformers wants its own size
    out = network(x).predicted_depth
    assert (out > 0).float().mean() > 0.9
    assert (network(-x).predicted_depth - out).abs().max() > 0.1 * out.max()
    save("depth_transformers", None, {"out": out[:, ::2, ::2]})
    with torch.device("meta"):
        full = build(32, depths=[3, 4, 9], embedding_size=64, resnet=[256, 512, 1024], neck_hidden_sizes=[256, 512, 768, 768])
    write_list(FOLDER / "full_depth_transformers.txt", {key: ("F32", tuple(value.shape)) for key, value in full.state_dict().items()})


@torch.no_grad()
def main():
    lineart()
    lineart_anime()
    softedge()
    depth()
    openpose()
    full_size()
    depth_transformers()


if __name__ == "__main__":
    main()
