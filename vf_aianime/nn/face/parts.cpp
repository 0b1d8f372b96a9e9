// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/parts.h"

#include <algorithm>
#include <limits>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

int64_t missing_pixels(int64_t size, int64_t kernel, int64_t stride) {
    return std::max<int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
}

// "conv1.weight" -> "conv1.range"
std::string range_name(const std::string &weight) { return weight.substr(0, weight.rfind('.') + 1) + "range"; }

at::Tensor unpacked(const WeightSource &source, const std::string &name, const at::Tensor &stored) {
    if (stored.scalar_type() != at::kByte)
        return stored;
    if (!source.has(range_name(name)))
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + name + " has 8-bit numbers without " + range_name(name));
    const at::Tensor range = source.tensor(range_name(name), at::kFloat, at::kCPU);
    if (range.dim() != 2 || range.size(1) != 2 || (range.size(0) != 1 && range.size(0) != stored.size(0)))
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + range_name(name) + " does not fit its weight");
    std::vector<int64_t> rows(static_cast<size_t>(stored.dim()), 1);
    rows[0] = range.size(0);
    return stored.to(at::kFloat) * range.select(1, 1).view(rows) + range.select(1, 0).view(rows);
}

bool is_range(const std::string &name) {
    static const std::string ending = ".range";
    return name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

} // namespace

at::Tensor same_padded(const at::Tensor &x, int64_t kernel, int64_t stride, double value) {
    const int64_t rows = missing_pixels(x.size(2), kernel, stride), columns = missing_pixels(x.size(3), kernel, stride);
    if (rows == 0 && columns == 0)
        return x;
    return at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2}, value);
}

at::Tensor same_max_pool(const at::Tensor &x, int64_t kernel, int64_t stride) {
    const at::Tensor padded = same_padded(x, kernel, stride, -std::numeric_limits<double>::infinity());
    return at::max_pool2d(padded, {kernel, kernel}, {stride, stride});
}

FaceConv::FaceConv(int64_t in, int64_t out, int64_t kernel, int64_t stride, Edge edge)
    : kernel_(kernel), stride_(stride), edge_(edge) {
    parameter("weight", weight, {out, in, kernel, kernel});
    parameter("bias", bias, {out});
}

at::Tensor FaceConv::forward(const at::Tensor &x) const {
    const at::Tensor padded = edge_ == Edge::same ? same_padded(x, kernel_, stride_) : x;
    return at::conv2d(padded, weight, bias, {stride_, stride_});
}

DepthwiseConv::DepthwiseConv(int64_t channels, int64_t stride, bool with_bias) : channels_(channels), stride_(stride) {
    parameter("weight", weight, {channels, 1, 3, 3});
    if (with_bias)
        parameter("bias", bias, {channels});
}

at::Tensor DepthwiseConv::forward(const at::Tensor &x) const {
    if (stride_ == 1)
        return at::conv2d(x, weight, bias, {1, 1}, {1, 1}, {1, 1}, channels_);
    const int64_t padding = 0;
    return at::conv2d(same_padded(x, 3, stride_), weight, bias, stride_, padding, 1, channels_);
}

SeparableConv::SeparableConv(int64_t in, int64_t out, int64_t stride) : depthwise(in, stride, false), pointwise(in, out, 1) {
    child("depthwise", depthwise);
    child("pointwise", pointwise);
}

at::Tensor SeparableConv::forward(const at::Tensor &x) const { return pointwise.forward(depthwise.forward(x)); }

at::Tensor centred_colors(const at::Tensor &x) {
    const at::Tensor mean = at::tensor({122.782 / 255, 117.001 / 255, 104.298 / 255}, at::kDouble);
    return x - mean.to(x.options()).view({1, 3, 1, 1});
}

void load_face_network(Module &module, const WeightSource &source, at::Device device) {
    const auto broken =
        load(module, source, at::kFloat, device, is_range,
             [&source](const std::string &name, const at::Tensor &stored) { return unpacked(source, name, stored); });
    if (!broken.empty())
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + broken.front() + " holds numbers that are not finite");
}

} // namespace aianime::nn
