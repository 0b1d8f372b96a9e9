#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns the face networks of face-api (uint8 shards with JSON manifests) into the safetensors files that aianime reads.

usage: python3 convert_face_api.py FOLDER -o OUT

FOLDER holds NAME-weights_manifest.json and the shards it lists, as the package @vladmandic/face-api has them below model/. Written
to OUT: detector, landmarks, expression, age_gender and recognition, each with PyTorch's names and order of sides. Tables stay the
8-bit numbers they are; beside NAME.weight lies NAME.range, [rows or 1, 2]: what 0 stands for and what a step is worth. A factor and
an offset that follow a convolution (batch normalisation) are merged into them. Tables that the package has in full precision become
half, biases single. Needs numpy and safetensors. Exit status: 0 done, 1 not converted (one line says why), 2 wrong usage.
"""

import argparse
import json
import os
import sys

NETWORKS = {
    "detector": "ssd_mobilenetv1_model",
    "landmarks": "face_landmark_68_model",
    "expression": "face_expression_model",
    "age_gender": "age_gender_model",
    "recognition": "face_recognition_model",
}
# What the last part of a name becomes.
ENDINGS = {
    "filters": "weight",
    "weights": "weight",
    "biases": "bias",
    "depthwise_filter": "depthwise.weight",
    "pointwise_filter": "pointwise.weight",
}

NORM_EPSILON = 0.0010000000474974513


class Refused(Exception):
    """A network that is not converted; the text is for the user."""


def main():
    given = arguments()
    try:
        os.makedirs(given.output, exist_ok=True)
        for name, stem in NETWORKS.items():
            path = os.path.join(given.output, f"{name}.safetensors")
            print(f"{path}: {write(path, stem, convert(read(given.folder, stem)))} tensors")
    except (Refused, OSError) as refused:
        print(f"convert_face_api: {refused}", file=sys.stderr)
        return 1
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="with the manifests and shards")
    parser.add_argument("-o", "--output", required=True, help="folder of the safetensors files")
    return parser.parse_args()


# --- reading --------------------------------------------------------------------------------------------------------


class Table:
    """Numbers as TensorFlow orders their sides; for 8-bit ones also what 0 stands for and what a step is worth, a column each."""

    def __init__(self, stored, low=None, step=None):
        self.stored, self.low, self.step = stored, low, step

    def values(self):
        stored = self.stored.astype("float64")
        return stored if self.low is None else stored * self.step + self.low

    def times(self, factor):
        """Each column by a factor of its own."""
        if self.low is None:
            return Table(self.stored * factor)
        return Table(self.stored, self.low * factor, self.step * factor)


def read(folder, stem):
    """The tables of a network by name."""
    path = os.path.join(folder, f"{stem}-weights_manifest.json")
    with open(path, encoding="utf-8") as file:
        try:
            groups = json.load(file)
        except ValueError as error:
            raise Refused(f"{path}: is no JSON ({error})") from None
    tables = {}
    for group in groups:
        shard = b""
        for name in group["paths"]:
            with open(os.path.join(folder, os.path.basename(name)), "rb") as file:
                shard += file.read()
        tables.update(unpack(shard, group["weights"], path))
    return tables


def unpack(shard, entries, path):
    import numpy

    tables, begin = {}, 0
    for entry in entries:
        packing = entry.get("quantization")
        kind = numpy.dtype(packing["dtype"] if packing else entry["dtype"]).newbyteorder("<")
        count = int(numpy.prod(entry["shape"], dtype=numpy.int64))
        if begin + count * kind.itemsize > len(shard):
            raise Refused(f"{path}: {entry['name']} ends behind the end of the shards")
        stored = numpy.frombuffer(shard, kind, count, begin).reshape(entry["shape"])
        begin += count * kind.itemsize
        limits = (numpy.array([packing["min"]]), numpy.array([packing["scale"]])) if packing else ()
        tables[entry["name"]] = Table(stored, *limits)
    if begin != len(shard):
        raise Refused(f"{path}: the shards are {len(shard)} bytes long, the manifest describes {begin}")
    return tables


# --- renaming -------------------------------------------------------------------------------------------------------


def convert(tables):
    """Tables by PyTorch's names, sides still in TensorFlow's order."""
    if any(name.startswith("MobilenetV1/") for name in tables):
        return convert_detector(tables)
    tables = merge_scales(tables)
    return {target(name, tables): table for name, table in tables.items()}


def merge_scales(tables):
    """x * filters + bias, then * scale + offset: one convolution."""
    merged = {name: table for name, table in tables.items() if "/scale/" not in name}
    for name in tables:
        if name.endswith("/scale/weights"):
            layer = name[: -len("/scale/weights")]
            factor = tables[name].values()
            filters, bias = merged.pop(f"{layer}/conv/filters"), merged.pop(f"{layer}/conv/bias")
            merged[f"{layer}/filters"] = filters.times(factor)
            merged[f"{layer}/bias"] = Table(bias.values() * factor + tables[f"{layer}/scale/biases"].values())
    return merged


def target(name, tables):
    parts = name.split("/")
    layer = parts[:-1]
    if not layer:  # a table without a bias
        return f"{name}.weight"
    if parts[-1] == "bias" and "/".join(layer + ["pointwise_filter"]) in tables:
        return ".".join(layer + ["pointwise", "bias"])
    return ".".join(layer + [ENDINGS.get(parts[-1], parts[-1])])


def convert_detector(tables):
    """Of the graph's three classes (none, face, and one that was never trained) the face stays."""
    named = {"anchors": Table(tables["Output/extra_dim"].values()[0])}
    for i in range(14):
        name = f"MobilenetV1/Conv2d_{i}"
        if i:
            named[f"mobilenet.{i}.depthwise.weight"], named[f"mobilenet.{i}.depthwise.bias"] = merge_norm(tables, f"{name}_depthwise")
        stem = f"mobilenet.{i}.pointwise" if i else "mobilenet.0"
        named[f"{stem}.weight"] = tables[f"{name}_pointwise/weights"]
        named[f"{stem}.bias"] = tables[f"{name}_pointwise/convolution_bn_offset"]
    for i in range(8):
        named[f"extra.{i}.weight"] = tables[f"Prediction/Conv2d_{i}_pointwise/weights"]
        named[f"extra.{i}.bias"] = tables[f"Prediction/Conv2d_{i}_pointwise/convolution_bn_offset"]
    for i in range(6):
        name = f"Prediction/BoxPredictor_{i}"
        named[f"box.{i}.weight"] = tables[f"{name}/BoxEncodingPredictor/weights"]
        named[f"box.{i}.bias"] = tables[f"{name}/BoxEncodingPredictor/biases"]
        classes = tables[f"{name}/ClassPredictor/weights"]
        named[f"face.{i}.weight"] = Table(classes.stored[..., 1::3], classes.low, classes.step)
        named[f"face.{i}.bias"] = Table(tables[f"{name}/ClassPredictor/biases"].values()[1::3])
    return named


def merge_norm(tables, name):
    norm = {end: tables[f"{name}/BatchNorm/{end}"].values() for end in ("gamma", "beta", "moving_mean", "moving_variance")}
    factor = norm["gamma"] / (norm["moving_variance"] + NORM_EPSILON) ** 0.5
    return tables[f"{name}/depthwise_weights"].times(factor), Table(norm["beta"] - norm["moving_mean"] * factor)


# --- writing --------------------------------------------------------------------------------------------------------


def tensors_of(name, table):
    import numpy

    if table.stored.ndim == 1 or name == "anchors":
        return {name: table.values().astype(numpy.float32)}
    if table.low is None:
        return {name: order(name, table.stored).astype(numpy.float16)}
    limits = numpy.stack([table.low, table.step], 1).astype(numpy.float32)
    return {name: order(name, table.stored), name[: -len("weight")] + "range": limits}


def order(name, stored):
    """TensorFlow: height, width, in, out (or in, 1 where each channel has a filter of its own); PyTorch: out, in, height, width."""
    if stored.ndim == 4:
        return stored.transpose(2, 3, 0, 1) if name.endswith("depthwise.weight") else stored.transpose(3, 2, 0, 1)
    return stored.T


def write(path, stem, tables):
    import numpy
    from safetensors.numpy import save_file

    stored = {}
    for name, table in tables.items():
        stored.update(tensors_of(name, table))
    for name, values in stored.items():
        stored[name] = numpy.ascontiguousarray(values)
        if not numpy.isfinite(values).all():
            raise Refused(f"{path}: {name} does not fit its precision")
    save_file(stored, path, metadata={"format": "pt", "source": f"@vladmandic/face-api, {stem}", "license": "MIT"})
    os.chmod(path, 0o644)
    return len(stored)


if __name__ == "__main__":
    sys.exit(main())
