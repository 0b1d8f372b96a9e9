// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "nn/annotators/parts.h"
#include "nn/layers.h"

namespace aianime::nn {

// A convolution whose weights are standardised (mean 0, variance 1 an output channel), with TensorFlow's "same" padding: the odd
// pixel goes behind. No bias.
class StandardConv2d : public Module {
public:
    StandardConv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride);
    at::Tensor forward(const at::Tensor &x) const;
    void loaded() override;

    at::Tensor weight;

private:
    int64_t kernel_, stride_;
};

// The ResNet in front of the vision transformer of DPT-Hybrid: stem, then stages of bottlenecks at 1/4, 1/8 and 1/16 of the size.
class HybridResnet : public Module {
public:
    static constexpr size_t stages = 3;

    // prefix: of its names in the file, with its dot.
    HybridResnet(const WeightSource &source, const std::string &prefix, int64_t groups);
    // Channels of each stage.
    const std::array<int64_t, stages> &widths() const { return widths_; }
    // What each stage gives.
    std::array<at::Tensor, stages> forward(const at::Tensor &x) const;

private:
    struct Widths {
        int64_t in, middle, out;
    };
    struct Bottleneck : Module {
        Bottleneck(const WeightSource &source, const std::string &prefix, const Widths &widths, int64_t stride, int64_t groups);
        at::Tensor forward(const at::Tensor &x) const;

        StandardConv2d conv1, conv2, conv3;
        GroupNorm norm1, norm2, norm3;
        std::unique_ptr<StandardConv2d> downsample_conv; // of a stage's first block
        std::unique_ptr<GroupNorm> downsample_norm;
    };

    int64_t width_;
    std::array<int64_t, stages> widths_;
    StandardConv2d stem_;
    GroupNorm stem_norm_;
    std::array<std::deque<Bottleneck>, stages> stages_;
};

} // namespace aianime::nn
