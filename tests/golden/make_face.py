# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the face networks for test_face.cpp, on the weights in models/face.

The networks are written down here a second time from the published definition (TensorFlow.js), with TensorFlow's padding by hand.
With the folder of the package's own models (@vladmandic/face-api, model/) as an argument, they are also run on those weights, 8 bits
with a scale and an offset and norms apart, to show that the conversion keeps what they say. face/astronaut.png is a part (130, 10 to
322, 202) of scikit-image's data/astronaut.png, NASA's portrait of Eileen Collins, in the public domain.
Run: python3 make_face.py [FOLDER]
"""

import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "face"
WEIGHTS = HERE.parent.parent / "models" / "face"
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
MEAN = torch.tensor([122.782, 117.001, 104.298]).view(1, 3, 1, 1)


# --- TensorFlow's operators -----------------------------------------------------------------------------------------


def same(x, kernel, stride, value=0.0):
    """As much in front as behind, the odd one behind; as few as make ceil(size / stride) of it."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def conv(x, weight, bias=None, stride=1, padding="same", groups=1):
    if padding == "same":
        x = same(x, weight.shape[-1], stride)
    return F.conv2d(x, weight, bias, stride, groups=groups)


def separable(x, w, name, stride=1):
    x = conv(x, w[f"{name}.depthwise.weight"], None, stride, groups=x.shape[1])
    return conv(x, w[f"{name}.pointwise.weight"], w[f"{name}.pointwise.bias"])


def max_pool(x, kernel, stride, padding="same"):
    if padding == "same":
        x = same(x, kernel, stride, -math.inf)
    return F.max_pool2d(x, kernel, stride)


# --- networks: pictures [n, 3, h, w] from 0 to 255 ------------------------------------------------------------------


def relu6(x):
    return x.clamp(0, 6)


def depthwise(x, w, name, stride):
    x = conv(x, w[f"{name}.weight"], None, stride, groups=x.shape[1])
    if f"{name}.norm.gamma" not in w:  # merged
        return relu6(x + w[f"{name}.bias"].view(1, -1, 1, 1))
    norm = {end: w[f"{name}.norm.{end}"].view(1, -1, 1, 1) for end in NORM}
    x = (x - norm["moving_mean"]) / torch.sqrt(norm["moving_variance"] + 0.0010000000474974513)
    return relu6(x * norm["gamma"] + norm["beta"])


def detector(x, w):
    """Of every anchor: y, x, height, width relative to it, and the face's score."""
    x = relu6(conv(x / 127.5 - 1, w["mobilenet.0.weight"], w["mobilenet.0.bias"], 2))
    maps = []
    for i in range(1, 14):
        x = depthwise(x, w, f"mobilenet.{i}.depthwise", 2 if i in (2, 4, 6, 12) else 1)
        x = relu6(conv(x, w[f"mobilenet.{i}.pointwise.weight"], w[f"mobilenet.{i}.pointwise.bias"]))
        if i in (11, 13):
            maps.append(x)
    for i in range(8):
        x = relu6(conv(x, w[f"extra.{i}.weight"], w[f"extra.{i}.bias"], 1 + i % 2))
        if i % 2:
            maps.append(x)

    def predict(kind, columns):
        tables = [conv(y, w[f"{kind}.{i}.weight"], w[f"{kind}.{i}.bias"]) for i, y in enumerate(maps)]
        return torch.cat([table.permute(0, 2, 3, 1).reshape(x.shape[0], -1, columns) for table in tables], 1)
    return torch.cat([predict("box", 4), predict("face", 1)], 2)


def dense_features(x, w):
    x = (x - MEAN) / 255
    for i in range(4):
        name = f"dense{i}"
        first = conv(x, w["dense0.conv0.weight"], w["dense0.conv0.bias"], 2) if i == 0 else separable(x, w, f"{name}.conv0", 2)
        first = torch.relu(first)
        second = separable(first, w, f"{name}.conv1")
        third = separable(torch.relu(first + second), w, f"{name}.conv2")
        fourth = separable(torch.relu(first + second + third), w, f"{name}.conv3")
        x = torch.relu(first + second + third + fourth)
    return F.avg_pool2d(x, 7, 2).flatten(1)


def dense_network(x, w):
    return dense_features(x, w) @ w["fc.weight"].T + w["fc.bias"]


def reduction(x, w, name, activate):
    y = separable(torch.relu(x) if activate else x, w, f"{name}.separable_conv0")
    y = max_pool(separable(torch.relu(y), w, f"{name}.separable_conv1"), 3, 2)
    return y + conv(x, w[f"{name}.expansion_conv.weight"], w[f"{name}.expansion_conv.bias"], 2)


def xception_features(x, w):
    x = (x - MEAN) / 255
    x = torch.relu(conv(x, w["entry_flow.conv_in.weight"], w["entry_flow.conv_in.bias"], 2))
    x = reduction(x, w, "entry_flow.reduction_block_0", False)
    x = reduction(x, w, "entry_flow.reduction_block_1", True)
    for block in range(2):
        y = x
        for i in range(3):
            y = separable(torch.relu(y), w, f"middle_flow.main_block_{block}.separable_conv{i}")
        x = x + y
    x = reduction(x, w, "exit_flow.reduction_block", True)
    x = torch.relu(separable(x, w, "exit_flow.separable_conv"))
    return F.avg_pool2d(x, 7, 2).flatten(1)


def age_gender(x, w):
    features = xception_features(x, w)
    return features, features @ w["fc.age.weight"].T + w["fc.age.bias"], features @ w["fc.gender.weight"].T + w["fc.gender.bias"]


def scaled(x, w, name, stride=1):
    """Convolution, then factor and offset where the file has them apart."""
    if f"{name}.conv.weight" in w:
        x = conv(x, w[f"{name}.conv.weight"], w[f"{name}.conv.bias"], stride, "same" if stride == 1 else "valid")
        return x * w[f"{name}.scale.weight"].view(1, -1, 1, 1) + w[f"{name}.scale.bias"].view(1, -1, 1, 1)
    return conv(x, w[f"{name}.weight"], w[f"{name}.bias"], stride, "same" if stride == 1 else "valid")


def residual(x, w, name):
    y = torch.relu(scaled(x, w, f"{name}.conv1"))
    return torch.relu(scaled(y, w, f"{name}.conv2") + x)


def residual_down(x, w, name):
    y = scaled(torch.relu(scaled(x, w, f"{name}.conv1", 2)), w, f"{name}.conv2")
    pooled = F.avg_pool2d(x, 2, 2)
    y = F.pad(y, [0, pooled.shape[3] - y.shape[3], 0, pooled.shape[2] - y.shape[2]])
    pooled = torch.cat([pooled, torch.zeros(pooled.shape[0], y.shape[1] - pooled.shape[1], *pooled.shape[2:])], 1)
    return torch.relu(pooled + y)


def recognition(x, w):
    x = torch.relu(scaled((x - MEAN) / 255, w, "conv32_down", 2))
    x = max_pool(x, 3, 2, "valid")
    for name in ("conv32_1", "conv32_2", "conv32_3", "conv64_down", "conv64_1", "conv64_2", "conv64_3", "conv128_down", "conv128_1",
                 "conv128_2", "conv256_down", "conv256_1", "conv256_2", "conv256_down_out"):
        x = (residual_down if "down" in name else residual)(x, w, name)
    return x.mean((2, 3)) @ w["fc.weight"].T


# --- a face, whole --------------------------------------------------------------------------------------------------


def cut(picture, box, side, centred=True):
    """The part of a picture [1, 3, h, w] in a box (x, y, w, h), black around it to make it square, `side` wide."""
    h, w = picture.shape[2:]
    x0, y0 = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
    x1, y1 = min(math.floor(box[0]) + math.floor(box[2]), w), min(math.floor(box[1]) + math.floor(box[3]), h)
    part = picture[:, :, y0:y1, x0:x1]
    big = max(x1 - x0, y1 - y0)
    missing = (big - (x1 - x0), big - (y1 - y0))
    left, top = (missing[0] // 2, missing[1] // 2) if centred else (0, 0)
    part = F.pad(part, [left, missing[0] - left, top, missing[1] - top])
    return F.interpolate(part, (side, side), mode="bilinear", align_corners=False, antialias=True), (x0 - left, y0 - top, big)


def overlap(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def find(picture, nets, threshold=0.5, size=512):
    seen, (_, _, big) = cut(picture, (0, 0, picture.shape[3], picture.shape[2]), size, False)
    found = []
    for (y0, x0, y1, x1), (ty, tx, th, tw, logit) in zip(nets["detector"]["anchors"].tolist(), detector(seen, nets["detector"])[0].tolist()):
        score = 1 / (1 + math.exp(-logit))
        if score <= threshold:
            continue
        y, x = (y0 + y1) / 2 + ty / 10 * (y1 - y0), (x0 + x1) / 2 + tx / 10 * (x1 - x0)
        h, w = math.exp(th / 5) * (y1 - y0), math.exp(tw / 5) * (x1 - x0)
        found.append((score, ((x - w / 2) * big, (y - h / 2) * big, w * big, h * big)))
    kept = []
    for score, box in sorted(found, reverse=True):
        if all(overlap(box, other) <= 0.5 for _, other in kept):
            kept.append((score, box))
    return [(score, clipped(box, picture)) for score, box in kept]


def clipped(box, picture):
    x0, y0 = max(box[0], 0), max(box[1], 0)
    return x0, y0, min(box[0] + box[2], picture.shape[3]) - x0, min(box[1] + box[3], picture.shape[2]) - y0


def place_points(picture, box, nets):
    crop, (x, y, big) = cut(picture, box, 112)
    return dense_network(crop, nets["landmarks"]).view(68, 2) * big + torch.tensor([x, y])


def around_points(points):
    low, high = points.min(0).values, points.max(0).values
    span = high - low
    return *(low - 0.1 * span).tolist(), *(1.2 * span).tolist()


def turned_square(picture, points, side):
    """A square, turned so that the mouth lies below the eyes; their middle is at 0.5 and 0.43 of its sides."""
    left, right, mouth = points[36:42].mean(0), points[42:48].mean(0), points[48:68].mean(0)
    full = ((mouth - left).norm() + (mouth - right).norm()).item() / 2 / 0.45
    down = (mouth - (left + right) / 2).tolist()
    length = math.hypot(*down)
    cos, sin = down[1] / length, -down[0] / length
    middle = ((left + right + mouth) / 3).tolist()
    samples = max(1, math.ceil(full / side))
    steps = (torch.arange(side * samples) + 0.5) / (side * samples) * full
    x, y = (steps - 0.5 * full).view(1, -1), (steps - 0.43 * full).view(-1, 1)
    height, width = picture.shape[2:]
    grid = torch.stack([(middle[0] + x * cos - y * sin) / width, (middle[1] + x * sin + y * cos) / height], -1) * 2 - 1
    return F.avg_pool2d(F.grid_sample(picture, grid[None], align_corners=False), samples)


def describe(picture, box, nets):
    """The points are looked for twice: the second time in the box of the first."""
    points = place_points(picture, around_points(place_points(picture, box, nets)), nets)
    around = around_points(points)
    upright = turned_square(picture, points, 150)
    descriptor = (recognition(upright, nets["recognition"]) + recognition(upright.flip(3), nets["recognition"])) / 2
    face = cut(picture, around, 112)[0]
    _, age, gender = age_gender(face, nets["age_gender"])
    return {
        "points": points,
        "age": age,
        "male": gender.softmax(1)[:, 0],
        "expression": dense_network(face, nets["expression"]).softmax(1),
        "descriptor": descriptor,
    }


# --- goldens --------------------------------------------------------------------------------------------------------


def networks():
    nets = {}
    for name in ("detector", "landmarks", "expression", "age_gender", "recognition"):
        tensors = load_file(WEIGHTS / f"{name}.safetensors")
        nets[name] = {key: unpacked(key, value, tensors) for key, value in tensors.items() if not key.endswith(".range")}
    return nets


def unpacked(name, value, tensors):
    if value.dtype != torch.uint8:
        return value.float()
    low, step = tensors[name[: -len("weight")] + "range"].view(-1, 2, *[1] * (value.dim() - 1)).unbind(1)
    return value.float() * step + low


def published(folder):
    """The package's own numbers, with factors, offsets and norms apart."""
    sys.path.insert(0, str(HERE.parent.parent / "tools"))
    import convert_face_api as convert
    plain = {"filters": "weight", "weights": "weight", "biases": "bias", "depthwise_filter": "depthwise.weight",
             "pointwise_filter": "pointwise.weight"}
    nets = {}
    for name, stem in convert.NETWORKS.items():
        tables = {key: torch.from_numpy(table.values()).float() for key, table in convert.read(folder, stem).items()}
        nets[name] = {}
        for key, value in (detector_names(tables) if name == "detector" else tables).items():
            parts = key.split("/")
            if parts == ["fc"]:
                parts = ["fc", "weights"]
            if "/".join(parts[:-1] + ["pointwise_filter"]) in tables and parts[-1] == "bias":
                parts = parts[:-1] + ["pointwise", "bias"]
            turned = value.permute(2, 3, 0, 1) if parts[-1].startswith("depthwise") else value.T if value.dim() == 2 else value
            turned = value.permute(3, 2, 0, 1) if value.dim() == 4 and not parts[-1].startswith("depthwise") else turned
            nets[name][".".join(parts[:-1] + [plain.get(parts[-1], parts[-1])])] = turned
    return nets


def detector_names(tables):
    named = {"anchors": tables["Output/extra_dim"][0].T}
    for i in range(14):
        stem = f"mobilenet/{i}/pointwise" if i else "mobilenet/0"
        named[f"{stem}/weights"] = tables[f"MobilenetV1/Conv2d_{i}_pointwise/weights"]
        named[f"{stem}/biases"] = tables[f"MobilenetV1/Conv2d_{i}_pointwise/convolution_bn_offset"]
        if i:
            named[f"mobilenet/{i}/depthwise_filter"] = tables[f"MobilenetV1/Conv2d_{i}_depthwise/depthwise_weights"]
            for end in NORM:
                named[f"mobilenet/{i}/depthwise/norm/{end}"] = tables[f"MobilenetV1/Conv2d_{i}_depthwise/BatchNorm/{end}"]
    for i in range(8):
        named[f"extra/{i}/weights"] = tables[f"Prediction/Conv2d_{i}_pointwise/weights"]
        named[f"extra/{i}/biases"] = tables[f"Prediction/Conv2d_{i}_pointwise/convolution_bn_offset"]
    for i in range(6):
        name = f"Prediction/BoxPredictor_{i}"
        named[f"box/{i}/weights"] = tables[f"{name}/BoxEncodingPredictor/weights"]
        named[f"box/{i}/biases"] = tables[f"{name}/BoxEncodingPredictor/biases"]
        named[f"face/{i}/weights"] = tables[f"{name}/ClassPredictor/weights"][..., 1::3]
        named[f"face/{i}/biases"] = tables[f"{name}/ClassPredictor/biases"][1::3]
    return named


def read_picture(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float()


def outputs(x, nets, picture):
    features, age, gender = age_gender(x[112], nets["age_gender"])
    found = find(picture, nets)
    result = {
        "detector": detector(x[512], nets["detector"])[:, ::7], "landmarks": dense_network(x[112], nets["landmarks"]),
        "expression": dense_network(x[112], nets["expression"]), "features": features, "age": age, "gender": gender,
        "recognition": recognition(x[150], nets["recognition"]), "score": torch.tensor([found[0][0]]),
        "box": torch.tensor(found[0][1]),
    }
    result.update({f"face.{key}": value for key, value in describe(picture, found[0][1], nets).items()})
    return result


def noise(side, seed):
    """What a test can make by itself: whole numbers from 0 to 255 out of a linear congruence."""
    values, state = [], seed
    for _ in range(3 * side * side):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        values.append(state >> 24)
    return torch.tensor(values, dtype=torch.float32).view(1, 3, side, side)


def main():
    picture = read_picture(FOLDER / "astronaut.png")
    x = {side: torch.cat([noise(side, side), cut(picture, (0, 0, picture.shape[3], picture.shape[2]), side)[0]]) for side in (112, 150)}
    x[512] = noise(512, 512)
    result = outputs(x, networks(), picture)
    if len(sys.argv) > 1:
        for name, value in outputs(x, published(sys.argv[1]), picture).items():
            print(f"{name}: {((value - result[name]).abs().max() / value.abs().max()).item():.1e} from the published weights")
    save_file({key: value.float().contiguous() for key, value in result.items()}, FOLDER / "io.safetensors")
    print({key: value.flatten()[:4].tolist() for key, value in result.items() if key.startswith("face.") or key in ("box", "score")})


if __name__ == "__main__":
    with torch.no_grad():
        main()
