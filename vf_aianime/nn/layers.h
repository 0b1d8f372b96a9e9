// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/module.h"

namespace aianime::nn {

// The leaves of every network. Names of the members are those of PyTorch's modules. Pictures are [batch, channels, h, w] in
// channels-last memory, tokens are [batch, tokens, channels].

class Linear : public Module {
public:
    Linear(int64_t in, int64_t out, bool bias = true);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias;
};

// Square kernels. Padding keeps the size at stride 1 unless another is given.
class Conv2d : public Module {
public:
    Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, bool bias = true);
    Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias, int64_t padding);
    at::Tensor forward(const at::Tensor &x) const;
    // Adds `extra`, [out channels], to the bias.
    at::Tensor forward(const at::Tensor &x, const at::Tensor &extra) const;

    at::Tensor weight, bias;

private:
    at::Tensor convolve(const at::Tensor &x, const at::Tensor &offset) const;

    int64_t kernel_, stride_, padding_;
};

class GroupNorm : public Module {
public:
    GroupNorm(int64_t groups, int64_t channels, double eps);
    at::Tensor forward(const at::Tensor &x) const;
    // One result for all pictures of a clip: x is `clips` clips, one after the other.
    at::Tensor forward_clips(const at::Tensor &x, int64_t clips) const;
    // silu(forward(x)), the usual next step; with clips > 0 silu(forward_clips(x, clips)).
    at::Tensor forward_silu(const at::Tensor &x, int64_t clips = 0) const;
    int64_t groups() const { return groups_; }
    double eps() const { return eps_; }

    at::Tensor weight, bias;

private:
    int64_t groups_;
    double eps_;
};

class LayerNorm : public Module {
public:
    explicit LayerNorm(int64_t channels, double eps = 1e-5);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias;

private:
    int64_t channels_;
    double eps_;
};

class Embedding : public Module {
public:
    Embedding(int64_t entries, int64_t channels);
    // ids: int64 of any shape -> the same shape with `channels` appended.
    at::Tensor forward(const at::Tensor &ids) const;

    at::Tensor weight;
};

// [batch, c, h, w] -> [batch, h * w, c], a view of a channels-last picture, and back.
at::Tensor to_tokens(const at::Tensor &picture);
at::Tensor to_picture(const at::Tensor &tokens, int64_t height, int64_t width);

// [groups * n, c, h, w] -> [groups, c, n * h, w], a view of channels-last pictures that lie one below the other, and back.
at::Tensor join_pictures(const at::Tensor &pictures, int64_t groups);
at::Tensor split_pictures(const at::Tensor &joined, int64_t height);

// A caller's tensor in the dtype and on the device of the network's weights; a picture also channels-last.
at::Tensor like_weight(const at::Tensor &x, const at::Tensor &weight);

} // namespace aianime::nn
