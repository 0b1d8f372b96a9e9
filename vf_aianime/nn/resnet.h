// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "nn/doubling_conv.h"
#include "nn/layers.h"

namespace aianime::nn {

// diffusers ResnetBlock2D: norm, SiLU, convolution, twice, and a shortcut.
class ResnetBlock : public Module {
public:
    // time_channels 0: without a time embedding (autoencoders).
    ResnetBlock(int64_t in, int64_t out, int64_t time_channels, int64_t groups, double eps);
    // `time` is TimestepEmbedding's result, [1, time_channels] or one row a picture; undefined without a time embedding. clips: 0,
    // or the batch is this many clips one after the other, and the norms look at all pictures of a clip together instead of one at
    // a time.
    at::Tensor forward(const at::Tensor &x, const at::Tensor &time, int64_t clips = 0) const;
    // forward(cat({x, skip}), ...)
    at::Tensor forward_joined(const at::Tensor &x, const at::Tensor &skip, const at::Tensor &time, int64_t clips) const;

private:
    at::Tensor convolved(const at::Tensor &x, const at::Tensor &offset, int64_t clips) const;

    GroupNorm norm1;
    Conv2d conv1;
    std::unique_ptr<Linear> time_emb_proj;
    GroupNorm norm2;
    Conv2d conv2;
    std::unique_ptr<Conv2d> conv_shortcut;
};

// diffusers Downsample2D: a 3x3 convolution with stride 2.
class Downsample : public Module {
public:
    // padding 0 pads one row below and one column on the right only, as autoencoders do.
    Downsample(int64_t channels, int64_t padding);
    at::Tensor forward(const at::Tensor &x) const;

private:
    int64_t padding_;
    Conv2d conv;
};

// diffusers Upsample2D: nearest neighbour to the given size, then a 3x3 convolution.
class Upsample : public Module {
public:
    explicit Upsample(int64_t channels);
    at::Tensor forward(const at::Tensor &x, int64_t height, int64_t width) const;

private:
    DoublingConv conv;
};

} // namespace aianime::nn
