// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/layers.h"

#include "nn/aten.h"

namespace aianime::nn {

Linear::Linear(int64_t in, int64_t out, bool with_bias) {
    parameter("weight", weight, {out, in});
    if (with_bias)
        parameter("bias", bias, {out});
}

at::Tensor Linear::forward(const at::Tensor &x) const {
    if (bias.defined())
        return at::linear(x, weight, bias);
    return at::linear(x, weight);
}

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool with_bias)
    : Conv2d(in, out, kernel, stride, with_bias, kernel / 2) {}

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool with_bias, int64_t padding)
    : kernel_(kernel), stride_(stride), padding_(padding) {
    parameter("weight", weight, {out, in, kernel, kernel});
    if (with_bias)
        parameter("bias", bias, {out});
}

at::Tensor Conv2d::convolve(const at::Tensor &x, const at::Tensor &offset) const {
    // In channels-last memory a 1x1 convolution is a matrix product without any copy.
    if (kernel_ == 1 && stride_ == 1 && padding_ == 0) {
        const at::Tensor matrix = weight.flatten(1);
        const at::Tensor tokens = to_tokens(x);
        return to_picture(offset.defined() ? at::linear(tokens, matrix, offset) : at::linear(tokens, matrix), x.size(2), x.size(3));
    }
    return at::conv2d(x, weight, offset, {stride_, stride_}, {padding_, padding_});
}

at::Tensor Conv2d::forward(const at::Tensor &x) const { return convolve(x, bias); }

at::Tensor Conv2d::forward(const at::Tensor &x, const at::Tensor &extra) const {
    return convolve(x, bias.defined() ? at::add(bias, extra) : extra);
}

GroupNorm::GroupNorm(int64_t groups, int64_t channels, double eps) : groups_(groups), eps_(eps) {
    parameter("weight", weight, {channels});
    parameter("bias", bias, {channels});
}

at::Tensor GroupNorm::forward(const at::Tensor &x) const {
    // ATen's CPU kernel for channels-last pictures of fewer pixels than this is slower than the plain one with both conversions.
    constexpr int64_t small_picture = 1024;
    if (x.is_cpu() && x.dim() == 4 && x.size(2) * x.size(3) < small_picture)
        return at::group_norm(x.contiguous(), groups_, weight, bias, eps_).contiguous(at::MemoryFormat::ChannelsLast);
    return at::group_norm(x, groups_, weight, bias, eps_);
}

at::Tensor GroupNorm::forward_clips(const at::Tensor &x, int64_t clips) const {
    return split_pictures(forward(join_pictures(x, clips)), x.size(2));
}

at::Tensor GroupNorm::forward_silu(const at::Tensor &x, int64_t clips) const {
    at::Tensor normal = clips ? forward_clips(x, clips) : forward(x);
    return at::silu_(normal);
}

LayerNorm::LayerNorm(int64_t channels, double eps) : channels_(channels), eps_(eps) {
    parameter("weight", weight, {channels});
    parameter("bias", bias, {channels});
}

at::Tensor LayerNorm::forward(const at::Tensor &x) const { return at::layer_norm(x, {channels_}, weight, bias, eps_); }

Embedding::Embedding(int64_t entries, int64_t channels) { parameter("weight", weight, {entries, channels}); }

at::Tensor Embedding::forward(const at::Tensor &ids) const { return at::embedding(weight, ids); }

at::Tensor to_tokens(const at::Tensor &picture) { return picture.permute({0, 2, 3, 1}).flatten(1, 2); }

at::Tensor to_picture(const at::Tensor &tokens, int64_t height, int64_t width) {
    return tokens.unflatten(1, {height, width}).permute({0, 3, 1, 2});
}

at::Tensor join_pictures(const at::Tensor &pictures, int64_t groups) {
    return pictures.permute({0, 2, 3, 1}).unflatten(0, {groups, -1}).flatten(1, 2).permute({0, 3, 1, 2});
}

at::Tensor split_pictures(const at::Tensor &joined, int64_t height) {
    return joined.permute({0, 2, 3, 1}).unflatten(1, {-1, height}).flatten(0, 1).permute({0, 3, 1, 2});
}

at::Tensor like_weight(const at::Tensor &x, const at::Tensor &weight) {
    const at::Tensor converted = x.to(weight.options());
    return x.dim() == 4 ? converted.contiguous(at::MemoryFormat::ChannelsLast) : converted;
}

} // namespace aianime::nn
