// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/raft_encoder.h"

#include <string>

#include "nn/annotators/parts.h"
#include "nn/aten.h"

namespace aianime::nn {

BatchNorm2d::BatchNorm2d(int64_t channels) {
    parameter("weight", weight, {channels});
    parameter("bias", bias, {channels});
    parameter("running_mean", running_mean, {channels});
    parameter("running_var", running_var, {channels});
}

at::Tensor BatchNorm2d::forward(const at::Tensor &x) const {
    return at::batch_norm(x, weight, bias, running_mean, running_var, false, 0, 1e-5, false);
}

RaftConv::RaftConv(int64_t in, int64_t out, int64_t kernel, int64_t stride, RaftNorm norm)
    : conv_(in, out, kernel, stride), norm_(norm) {
    child("0", conv_);
    if (norm == RaftNorm::batch) {
        batch_norm_ = std::make_unique<BatchNorm2d>(out);
        child("1", *batch_norm_);
    }
}

at::Tensor RaftConv::forward(const at::Tensor &x) const {
    const at::Tensor h = conv_.forward(x);
    return batch_norm_ ? batch_norm_->forward(h) : norm_ == RaftNorm::instance ? instance_norm(h) : h;
}

at::Tensor RaftConv::forward_relu(const at::Tensor &x) const {
    at::Tensor h = forward(x);
    return at::relu_(h);
}

RaftBlock::RaftBlock(int64_t in, int64_t out, int64_t stride, RaftNorm norm, bool bottleneck) {
    if (bottleneck) {
        convs_.emplace_back(in, out / 4, 1, 1, norm);
        convs_.emplace_back(out / 4, out / 4, 3, stride, norm);
        convs_.emplace_back(out / 4, out, 1, 1, norm);
    } else {
        convs_.emplace_back(in, out, 3, stride, norm);
        convs_.emplace_back(out, out, 3, 1, norm);
    }
    for (size_t i = 0; i < convs_.size(); i++)
        child("convnormrelu" + std::to_string(i + 1), convs_[i]);
    if (stride == 1)
        return;
    downsample_ = std::make_unique<RaftConv>(in, out, 1, stride, norm);
    child("downsample", *downsample_);
}

at::Tensor RaftBlock::forward(const at::Tensor &x) const {
    at::Tensor h = x;
    for (const RaftConv &conv : convs_)
        h = conv.forward_relu(h);
    h = h + (downsample_ ? downsample_->forward(x) : x);
    return at::relu_(h);
}

RaftEncoder::RaftEncoder(const std::vector<int64_t> &widths, RaftNorm norm, bool bottleneck)
    : begin_(3, widths[0], 7, 2, norm), end_(widths[3], widths[4], 1) {
    child("convnormrelu", begin_);
    for (size_t level = 1; level <= 3; level++) {
        const std::string name = "layer" + std::to_string(level) + ".";
        child(name + "0", blocks_.emplace_back(widths[level - 1], widths[level], level == 1 ? 1 : 2, norm, bottleneck));
        child(name + "1", blocks_.emplace_back(widths[level], widths[level], 1, norm, bottleneck));
    }
    child("conv", end_);
}

at::Tensor RaftEncoder::forward(const at::Tensor &x) const {
    at::Tensor h = begin_.forward_relu(x);
    for (const RaftBlock &block : blocks_)
        h = block.forward(h);
    return end_.forward(h);
}

} // namespace aianime::nn
