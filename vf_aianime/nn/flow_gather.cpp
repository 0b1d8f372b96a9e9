// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/flow_gather.h"

#include "nn/aten.h"

namespace aianime::nn {

namespace {

// Coordinates of cells, float32 [2, h, w].
at::Tensor cells(int64_t height, int64_t width, const at::TensorOptions &options) {
    const at::Tensor x = at::arange(width, options).view({1, width}).expand({height, width});
    const at::Tensor y = at::arange(height, options).view({height, 1}).expand({height, width});
    return at::stack({x, y});
}

at::Tensor inside(const at::Tensor &flow) {
    const int64_t height = flow.size(-2), width = flow.size(-1);
    const at::Tensor place = flow + cells(height, width, flow.options());
    const at::Tensor x = place.select(-3, 0), y = place.select(-3, 1);
    // A cell reaches half its size beyond its centre.
    return x.ge(-0.5)
        .logical_and(x.le(static_cast<double>(width) - 0.5))
        .logical_and(y.ge(-0.5))
        .logical_and(y.le(static_cast<double>(height) - 0.5));
}

at::Tensor pool(const at::Tensor &x, int64_t height, int64_t width) { return at::_adaptive_avg_pool2d(x, {height, width}); }

} // namespace

FlowField still(int64_t height, int64_t width) {
    return {at::zeros({2, height, width}, at::kFloat), at::ones({height, width}, at::kFloat)};
}

FlowField resize_flow(const FlowField &field, int64_t height, int64_t width) {
    const int64_t from_height = field.flow.size(-2), from_width = field.flow.size(-1);
    if (from_height == height && from_width == width)
        return {field.flow, field.valid * inside(field.flow)};
    const at::IntArrayRef shape = field.valid.sizes();
    const at::Tensor flow = field.flow.reshape({-1, 2, from_height, from_width});
    const at::Tensor weight = field.valid.reshape({-1, 1, from_height, from_width});
    const at::Tensor valid = pool(weight, height, width);
    at::Tensor result = pool(flow * weight, height, width) / valid.clamp_min(1e-6);
    result.select(1, 0).mul_(static_cast<double>(width) / static_cast<double>(from_width));
    result.select(1, 1).mul_(static_cast<double>(height) / static_cast<double>(from_height));
    std::vector<int64_t> sizes(shape.begin(), shape.end() - 2);
    std::vector<int64_t> flow_sizes = sizes;
    sizes.insert(sizes.end(), {height, width});
    flow_sizes.insert(flow_sizes.end(), {2, height, width});
    return {result.view(flow_sizes), (valid.squeeze(1) * inside(result)).view(sizes)};
}

at::Tensor gather_along(const at::Tensor &x, const at::Tensor &flow) {
    constexpr int64_t bilinear = 0, border = 1;
    const int64_t height = x.size(2), width = x.size(3);
    const at::Tensor place = flow + cells(height, width, flow.options());
    const at::Tensor size = at::tensor({static_cast<double>(width), static_cast<double>(height)}, flow.options());
    // Positions in thousandths of a cell need float32, whatever the features are in.
    const at::Tensor grid = (place.permute({0, 2, 3, 1}) + 0.5) * 2 / size - 1;
    return at::grid_sampler_2d(x.to(at::kFloat), grid, bilinear, border, false).to(x.scalar_type());
}

} // namespace aianime::nn
