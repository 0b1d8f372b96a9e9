# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tiny ONNX networks for test_opencv_faces.cpp, with the outputs of those in OpenCV's model zoo: YuNet of 2022 and of 2023 find
bright spots, SFace says how bright the parts of a face are. Needs numpy and onnx.
Run: python3 make_opencv_faces.py
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "opencv_faces"


class Graph:
    def __init__(self, size):
        self.nodes, self.constants, self.outputs = [], [], []
        self.input = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])

    def constant(self, name, value, kind=np.float32):
        self.constants.append(numpy_helper.from_array(np.array(value, kind), name))
        return name

    def node(self, kind, inputs, name, **more):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **more))
        return name

    def pool(self, x, name, stride):
        return self.node("AveragePool", [x], name, kernel_shape=[stride] * 2, strides=[stride] * 2)

    def conv(self, x, name, weight, bias):
        """1x1; weight: a number for each output and channel."""
        w = self.constant(f"{name}.weight", np.array(weight, np.float32)[..., None, None])
        return self.node("Conv", [x, w, self.constant(f"{name}.bias", bias)], name, kernel_shape=[1, 1])

    def rows(self, x, name, columns):
        turned = self.node("Transpose", [x], f"{name}.turned", perm=[0, 2, 3, 1])
        return self.node("Reshape", [turned, self.constant(f"{name}.shape", [1, -1, columns], np.int64)], name)

    def output(self, name, shape):
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def save(self, name):
        graph = helper.make_graph(self.nodes, name, [self.input], self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6, producer_name="aianime")
        onnx.checker.check_model(model)
        onnx.save(model, FOLDER / f"{name}.onnx")


def limit(stride):
    """Of brightness: only spots of 16 pixels are found."""
    return 200 if stride == 16 else 400


def cells():
    """2023: scores, boxes in cells: the whole cell and half of each neighbour."""
    graph = Graph(640)
    for stride in (8, 16, 32):
        x = graph.pool("input", f"cell_{stride}", stride)
        spot = graph.conv(x, f"spot_{stride}", np.full((1, 3), 0.2 / 3), [-0.2 * limit(stride)])
        graph.rows(graph.node("Sigmoid", [spot], f"sure_{stride}"), f"cls_{stride}", 1)
        for name, values in (("obj", [1]), ("bbox", [0.5, 0.5, np.log(2), np.log(2)]), ("kps", np.zeros(10))):
            graph.rows(graph.conv(x, f"{name}_{stride}.plain", np.zeros((len(values), 3)), values), f"{name}_{stride}", len(values))
        for name, columns in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            graph.output(f"{name}_{stride}", [1, f"n{stride}", columns])
    graph.save("cells")


def priors():
    """2022: three tables over the prior boxes of four strides; the first of a cell's boxes may be a face."""
    graph, tables = Graph(640), {"loc": [], "conf": [], "iou": []}
    for stride, count in ((8, 3), (16, 2), (32, 2), (64, 3)):
        x = graph.pool("input", f"cell_{stride}", stride)
        for name, columns, bias in (("loc", 14, 0), ("iou", 1, 1)):
            plain = graph.conv(x, f"{name}_{stride}", np.zeros((columns * count, 3)), np.full(columns * count, bias))
            tables[name].append(graph.rows(plain, f"{name}_{stride}.rows", columns))
        weight, bias = np.zeros((2 * count, 3)), np.full(2 * count, -60.0)
        weight[1], bias[1] = 0.2 / 3, -0.2 * limit(stride)
        sure = graph.node("Sigmoid", [graph.conv(x, f"conf_{stride}", weight, bias)], f"conf_{stride}.sure")
        tables["conf"].append(graph.rows(sure, f"conf_{stride}.rows", 2))
    for name, columns in (("loc", 14), ("conf", 2), ("iou", 1)):
        joined = graph.node("Concat", tables[name], f"{name}.joined", axis=1)
        graph.node("Reshape", [joined, graph.constant(f"{name}.shape", [-1, columns], np.int64)], name)
        graph.output(name, ["n", columns])
    graph.save("priors")


def recognizer(name, channels):
    """Red and green, or red, of 8x8 parts: 64 numbers of each."""
    graph = Graph(112)
    graph.input = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])
    x = graph.conv(graph.pool("data", "parts", 14), "colours", np.eye(3)[:channels] / 255, np.full(channels, -0.5))
    graph.node("Reshape", [x, graph.constant("flat", [1, 64 * channels], np.int64)], "fc1")
    graph.output("fc1", [1, 64 * channels])
    graph.save(name)


FOLDER.mkdir(exist_ok=True)
cells()
priors()
recognizer("recognizer", 2)
recognizer("short", 1)
