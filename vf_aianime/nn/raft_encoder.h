// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <memory>
#include <vector>

#include "nn/layers.h"

namespace aianime::nn {

// The parts of RAFT (Teed and Deng, ECCV 2020) that look at one picture. Members are named as in torchvision.

enum class RaftNorm { none, instance, batch };

// As it is after training: with the statistics of the file.
class BatchNorm2d : public Module {
public:
    explicit BatchNorm2d(int64_t channels);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias, running_mean, running_var;
};

// Convolution, norm, and a rectifier where the caller wants one.
class RaftConv : public Module {
public:
    RaftConv(int64_t in, int64_t out, int64_t kernel, int64_t stride, RaftNorm norm);
    at::Tensor forward(const at::Tensor &x) const;
    at::Tensor forward_relu(const at::Tensor &x) const;

private:
    Conv2d conv_;
    RaftNorm norm_;
    std::unique_ptr<BatchNorm2d> batch_norm_;
};

// Residual, of two convolutions, or a bottleneck of three.
class RaftBlock : public Module {
public:
    RaftBlock(int64_t in, int64_t out, int64_t stride, RaftNorm norm, bool bottleneck);
    at::Tensor forward(const at::Tensor &x) const;

private:
    std::deque<RaftConv> convs_;
    std::unique_ptr<RaftConv> downsample_;
};

class RaftEncoder : public Module {
public:
    // widths: of the first convolution, three levels, and the result.
    RaftEncoder(const std::vector<int64_t> &widths, RaftNorm norm, bool bottleneck);
    // [n, 3, h, w] in [-1, 1], sides multiples of 8 -> [n, widths.back(), h / 8, w / 8]
    at::Tensor forward(const at::Tensor &x) const;

private:
    RaftConv begin_;
    std::deque<RaftBlock> blocks_;
    Conv2d end_;
};

} // namespace aianime::nn
