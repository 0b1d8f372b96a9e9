// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/layers.h"
#include "nn/module.h"

namespace aianime::nn {

class WeightSource;

// Layers as TensorFlow has them: "same" padding leaves ceil(size / stride) pixels, with the odd pixel of it behind.

at::Tensor same_padded(const at::Tensor &x, int64_t kernel, int64_t stride, double value = 0);
at::Tensor same_max_pool(const at::Tensor &x, int64_t kernel, int64_t stride);

enum class Edge { same, valid };

class FaceConv : public Module {
public:
    FaceConv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, Edge edge = Edge::same);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias;

private:
    int64_t kernel_, stride_;
    Edge edge_;
};

// 3x3, a filter of its own for each channel.
class DepthwiseConv : public Module {
public:
    DepthwiseConv(int64_t channels, int64_t stride, bool bias);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias;

private:
    int64_t channels_, stride_;
};

class SeparableConv : public Module {
public:
    SeparableConv(int64_t in, int64_t out, int64_t stride = 1);
    at::Tensor forward(const at::Tensor &x) const;

    DepthwiseConv depthwise;
    Conv2d pointwise;
};

// x: [n, 3, h, w] in [0, 1], R G B -> what the networks of faces were trained on.
at::Tensor centred_colors(const at::Tensor &x);

// load() in float32 for files of 8-bit tables: where NAME.range lies beside NAME.weight, a weight is range[0] + range[1] * stored,
// row by row. Throws Error (BAD_DATA) also where numbers are not finite.
void load_face_network(Module &module, const WeightSource &source, at::Device device);

} // namespace aianime::nn
