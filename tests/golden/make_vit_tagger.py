# SPDX-License-Identifier: LGPL-2.1-or-later
"""WD taggers on timm's vision transformer, for tests/test_vit_tagger.cpp and tests/test_wd_tagger.cpp.

    python3 tests/golden/make_vit_tagger.py

Writes vit_tagger/<name>/ (a tiny network with random weights as timm writes it for the hub, a list of tags, its input and output),
vit_tagger/pictures.safetensors (pictures prepared as github.com/neggles/wdv3-timm does, which the taggers' cards name),
vit_tagger/pictures.json (the tags that the taggers' own application takes of them) and vit_tagger/full_<name>.txt and .json (names and
shapes of the published taggers).
"""

import csv
import json
import pathlib

import numpy
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.data import create_transform, resolve_data_config
from timm.models import save_for_hf

from make_clip_vision import picture
from synthetic import write_list
from tiny_networks import rand, randomize

FOLDER = pathlib.Path(__file__).parent / "vit_tagger"
PREPARATION = dict(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), interpolation="bicubic", crop_pct=1.0, crop_mode="center")
TINY = dict(patch_size=8, embed_dim=24, depth=3, num_heads=3, mlp_ratio=2.5, class_token=False, global_pool="avg")
CASES = {
    "mean_of_norm": dict(img_size=32, fc_norm=False, act_layer="gelu_tanh", **TINY),
    "norm_of_mean": dict(img_size=40, **TINY),
}
REAL = {"wd-vit-tagger-v3": "vit_base_patch16_224", "wd-vit-large-tagger-v3": "vit_large_patch16_224"}
REAL_ARGUMENTS = dict(img_size=448, class_token=False, global_pool="avg", fc_norm=False, act_layer="gelu_tanh")
TAGS = [
    ("general", 9), ("sensitive", 9), ("questionable", 9), ("explicit", 9), ("1girl", 0), ("long_hair", 0), ("^_^", 0), (":d", 0),
    ('don\'t_say_"lazy"', 0), ("looking_at_viewer", 0), ("a,b", 0), ("closed_eyes", 0), ("outdoors", 0), ("ganyu_(genshin_impact)", 4),
    ("hatsune_miku", 4), ("pok\u00e9mon", 4),
]  # fmt: skip
THRESHOLDS = {"plain": (0.45, 0.55), "low": (0.0, 0.0), "high": (1.0, 1.0)}


def create(architecture, arguments, classes):
    overlay = dict(PREPARATION, input_size=(3, arguments["img_size"], arguments["img_size"]), fixed_input_size=False)
    return timm.create_model(architecture, num_classes=classes, pretrained_cfg_overlay=overlay, **arguments).eval()


def write_tags(path):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["tag_id", "name", "category", "count"])
        for i, (name, category) in enumerate(TAGS):
            writer.writerow([1000 + i, name, category, 7 * i])


@torch.no_grad()
def make_network(name, seed):
    arguments = CASES[name]
    network = create("vit_base_patch16_224", arguments, len(TAGS))
    randomize(network, seed)
    folder = FOLDER / name
    save_for_hf(network, folder, model_args=arguments, safe_serialization=True)
    (folder / "pytorch_model.bin").unlink(missing_ok=True)
    path = folder / "model.safetensors"
    save_file({key: value.bfloat16() for key, value in load_file(path).items()}, path)
    write_tags(folder / "selected_tags.csv")
    pixels = rand((2, 3, arguments["img_size"], arguments["img_size"]), seed + 1)
    save_file({"pixels": pixels, "logits": network(pixels)}, folder / "io.safetensors")
    return network


def pad_square(image):
    side = max(image.size)
    canvas = Image.new("RGB", (side, side), (255, 255, 255))
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas


def best_cut(probabilities):
    ordered = numpy.sort(probabilities)[::-1]
    at = (ordered[:-1] - ordered[1:]).argmax()
    return (ordered[at] + ordered[at + 1]) / 2


def said(probabilities, general, character):
    pairs = [(TAGS[i][0], float(p)) for i, p in enumerate(probabilities) if p > {0: general, 4: character, 9: 9}[TAGS[i][1]]]
    pairs.sort(key=lambda pair: -pair[1])
    return ", ".join(name if name == "^_^" else name.replace("_", " ") for name, _ in pairs)


def captions(probabilities):
    found = {name: said(probabilities, *thresholds) for name, thresholds in THRESHOLDS.items()}
    by_category = [probabilities[[i for i, tag in enumerate(TAGS) if tag[1] == wanted]] for wanted in (0, 4)]
    found["cut"] = said(probabilities, best_cut(by_category[0]), max(0.15, best_cut(by_category[1])))
    return found


@torch.no_grad()
def make_pictures(network):
    prepare = create_transform(**resolve_data_config(network.pretrained_cfg, model=network))
    tensors, all_captions = {}, []
    for i, (height, width) in enumerate([(61, 40), (50, 97), (32, 32), (13, 18), (1, 1), (3, 70)]):
        image = picture(height, width, i)
        pixels = prepare(pad_square(image)).unsqueeze(0)[:, [2, 1, 0]]
        tensors[f"picture{i}"] = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).unsqueeze(0).contiguous()
        tensors[f"pixels{i}"] = pixels
        tensors[f"probabilities{i}"] = torch.sigmoid(network(pixels))
        all_captions.append(captions(tensors[f"probabilities{i}"][0].numpy()))
    save_file({key: value.contiguous() for key, value in tensors.items()}, FOLDER / "pictures.safetensors")
    (FOLDER / "pictures.json").write_text(json.dumps(all_captions, indent=1, ensure_ascii=False) + "\n")


def make_names():
    for name, architecture in REAL.items():
        with torch.device("meta"):
            network = create(architecture, REAL_ARGUMENTS, 10861)
        write_list(FOLDER / f"full_{name}.txt", {key: ("F32", list(value.shape)) for key, value in network.state_dict().items()})
        timm.models._hub.save_config_for_hf(network, FOLDER / f"full_{name}.json", model_args=REAL_ARGUMENTS)
        print(name, sum(p.numel() for p in network.parameters()))


def main():
    FOLDER.mkdir(exist_ok=True)
    network = make_network("mean_of_norm", 1)
    make_network("norm_of_mean", 11)
    make_pictures(network)
    make_names()


if __name__ == "__main__":
    main()
