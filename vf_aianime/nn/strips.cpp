// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/strips.h"

#include <algorithm>

#include "nn/aten.h"

namespace aianime::nn {

namespace {

int64_t rows_a_strip(const at::Tensor &x, int64_t bytes) {
    const int64_t row = static_cast<int64_t>(x.nbytes()) / x.size(2);
    return std::clamp<int64_t>(bytes / std::max<int64_t>(row, 1), 1, x.size(2));
}

// Sum over each group of sample, float64 [n, groups, 1, 1, 1].
template <typename Value>
at::Tensor sum_groups(const at::Tensor &x, int64_t groups, int64_t rows, Value value) {
    at::Tensor sum = at::zeros({x.size(0), groups, 1, 1, 1}, x.options().dtype(at::kDouble));
    for (int64_t first = 0; first < x.size(2); first += rows) {
        const at::Tensor strip = x.slice(2, first, std::min(first + rows, x.size(2))).to(at::kFloat);
        sum.add_(value(strip.unflatten(1, {groups, -1})).sum({2, 3, 4}, true, at::kDouble));
    }
    return sum;
}

// A group norm as a factor and an offset for each channel, float32 [n, c, 1, 1].
std::pair<at::Tensor, at::Tensor> factor_and_offset(const GroupNorm &norm, const at::Tensor &x, int64_t rows) {
    const int64_t groups = norm.groups(), channels = x.size(1);
    const double count = static_cast<double>(channels / groups * x.size(2) * x.size(3));
    const at::Tensor mean = sum_groups(x, groups, rows, [](const at::Tensor &strip) { return strip; }) / count;
    const at::Tensor center = mean.to(at::kFloat);
    const at::Tensor variance =
        sum_groups(x, groups, rows, [&](const at::Tensor &strip) { return (strip - center).square_(); }) / count;
    const auto per_channel = [&](const at::Tensor &value) {
        return value.view({-1, groups, 1}).expand({-1, groups, channels / groups}).reshape({-1, channels, 1, 1});
    };
    const at::Tensor weight = norm.weight.to(at::kDouble).view({1, -1, 1, 1}), bias = norm.bias.to(at::kDouble).view({1, -1, 1, 1});
    const at::Tensor factor = per_channel((variance + norm.eps()).rsqrt()) * weight;
    return {factor.to(at::kFloat), (bias - per_channel(mean) * factor).to(at::kFloat)};
}

} // namespace

bool in_strips(int64_t bytes, const at::Tensor &weight) { return bytes > large_bytes && !weight.requires_grad(); }

void for_strips(const at::Tensor &x, int64_t bytes_a_strip,
                const std::function<void(int64_t first, int64_t end, const at::Tensor &rows)> &work) {
    const int64_t height = x.size(2), rows = rows_a_strip(x, bytes_a_strip);
    for (int64_t first = 0; first < height; first += rows) {
        const int64_t end = std::min(first + rows, height);
        at::Tensor strip = x.slice(2, std::max<int64_t>(first - 1, 0), std::min(end + 1, height));
        if (first == 0 || end == height)
            strip = at::constant_pad_nd(strip, {0, 0, first == 0, end == height});
        work(first, end, strip);
    }
}

at::Tensor norm_silu_conv(const GroupNorm &norm, const Conv2d &conv, const at::Tensor &x, int64_t bytes_a_strip) {
    const auto [factor, offset] = factor_and_offset(norm, x, rows_a_strip(x, bytes_a_strip));
    const at::Tensor out =
        at::empty({x.size(0), conv.weight.size(0), x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
    for_strips(x, bytes_a_strip, [&, factor = factor, offset = offset](int64_t first, int64_t end, const at::Tensor &rows) {
        at::Tensor normal = at::addcmul(offset, rows.to(at::kFloat), factor);
        normal = at::silu_(normal).to(x.scalar_type());
        // What lies beyond the picture is zero behind the activation.
        if (first == 0)
            normal.slice(2, 0, 1).zero_();
        if (end == x.size(2))
            normal.slice(2, normal.size(2) - 1).zero_();
        out.slice(2, first, end).copy_(at::conv2d(normal, conv.weight, conv.bias, {1, 1}, at::IntArrayRef({0, 1})));
    });
    return out;
}

} // namespace aianime::nn
