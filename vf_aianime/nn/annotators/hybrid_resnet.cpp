// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/hybrid_resnet.h"

#include <limits>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr double group_norm_eps = 1e-5, weight_eps = 1e-8;

int64_t same_padding(int64_t size, int64_t kernel, int64_t stride) {
    return std::max<int64_t>(0, ((size + stride - 1) / stride - 1) * stride + kernel - size);
}

at::Tensor pad_same(const at::Tensor &x, int64_t kernel, int64_t stride, double value) {
    const int64_t rows = same_padding(x.size(2), kernel, stride), columns = same_padding(x.size(3), kernel, stride);
    if (rows == 0 && columns == 0)
        return x;
    return at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2}, value);
}

} // namespace

StandardConv2d::StandardConv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride) : kernel_(kernel), stride_(stride) {
    parameter("weight", weight, {out, in, kernel, kernel});
}

void StandardConv2d::loaded() {
    const at::Tensor rows = weight.flatten(1);
    const at::Tensor mean = rows.mean(1, true), centred = rows - mean;
    weight = (centred / (centred.square().mean(1, true) + weight_eps).sqrt())
                 .view(weight.sizes())
                 .contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor StandardConv2d::forward(const at::Tensor &x) const {
    return at::conv2d(pad_same(x, kernel_, stride_, 0), weight, {}, {stride_, stride_});
}

HybridResnet::Bottleneck::Bottleneck(const WeightSource &source, const std::string &prefix, const Widths &widths, int64_t stride,
                                     int64_t groups)
    : conv1(widths.in, widths.middle, 1, 1), conv2(widths.middle, widths.middle, 3, stride), conv3(widths.middle, widths.out, 1, 1),
      norm1(groups, widths.middle, group_norm_eps), norm2(groups, widths.middle, group_norm_eps),
      norm3(groups, widths.out, group_norm_eps) {
    child("conv1", conv1);
    child("conv2", conv2);
    child("conv3", conv3);
    child("norm1", norm1);
    child("norm2", norm2);
    child("norm3", norm3);
    if (!source.has(prefix + "downsample.conv.weight")) {
        if (widths.in != widths.out)
            throw Error(AIANIME_BAD_DATA, source.description() + ": there is no tensor " + prefix + "downsample.conv.weight");
        return;
    }
    downsample_conv = std::make_unique<StandardConv2d>(widths.in, widths.out, 1, stride);
    downsample_norm = std::make_unique<GroupNorm>(groups, widths.out, group_norm_eps);
    child("downsample.conv", *downsample_conv);
    child("downsample.norm", *downsample_norm);
}

at::Tensor HybridResnet::Bottleneck::forward(const at::Tensor &x) const {
    const at::Tensor shortcut = downsample_conv ? downsample_norm->forward(downsample_conv->forward(x)) : x;
    at::Tensor h = at::relu(norm1.forward(conv1.forward(x)));
    h = at::relu(norm2.forward(conv2.forward(h)));
    return at::relu(norm3.forward(conv3.forward(h)) + shortcut);
}

HybridResnet::HybridResnet(const WeightSource &source, const std::string &prefix, int64_t groups)
    : width_(side(source, prefix + "stem.conv.weight", 0)), stem_(3, width_, 7, 2), stem_norm_(groups, width_, group_norm_eps) {
    child("stem.conv", stem_);
    child("stem.norm", stem_norm_);
    for (size_t stage = 0; stage < stages; stage++) {
        const std::string blocks = "stages." + std::to_string(stage) + ".blocks.";
        const int64_t count = count_numbered(source, prefix + blocks, ".conv1.weight");
        for (int64_t i = 0; i < count; i++) {
            const std::string name = blocks + std::to_string(i), block = prefix + name + ".";
            const Widths widths{width_, side(source, block + "conv1.weight", 0), side(source, block + "conv3.weight", 0)};
            child(name, stages_[stage].emplace_back(source, block, widths, stage > 0 && i == 0 ? 2 : 1, groups));
            width_ = widths.out;
        }
        widths_[stage] = width_;
    }
}

std::array<at::Tensor, HybridResnet::stages> HybridResnet::forward(const at::Tensor &x) const {
    at::Tensor h = at::relu(stem_norm_.forward(stem_.forward(x)));
    h = at::max_pool2d(pad_same(h, 3, 2, -std::numeric_limits<double>::infinity()), {3, 3}, {2, 2});
    std::array<at::Tensor, stages> out;
    for (size_t stage = 0; stage < stages; stage++) {
        for (const Bottleneck &block : stages_[stage])
            h = block.forward(h);
        out[stage] = h;
    }
    return out;
}

} // namespace aianime::nn
