// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/raft_correlation.h"

#include <cmath>

#include "nn/aten.h"
#include "nn/layers.h"

namespace aianime::nn {

namespace {

// Steps to all cells around one. Channels go down column by column, as the networks were trained.
at::Tensor steps(int64_t radius, const at::TensorOptions &options) {
    const at::Tensor line = at::arange(-radius, radius + 1, options);
    const at::Tensor x = line.view({-1, 1}).expand({line.size(0), line.size(0)});
    return at::stack({x, x.t()}, -1);
}

} // namespace

RaftCorrelation::RaftCorrelation(const at::Tensor &from, const at::Tensor &to) {
    const at::Tensor queries = to_tokens(from)[0] / std::sqrt(static_cast<double>(from.size(1)));
    // The mean of products with some cells is the product with their mean.
    at::Tensor keys = to;
    for (int64_t level = 0; level < levels; level++) {
        if (level)
            keys = at::avg_pool2d(keys, {2, 2}, {2, 2});
        pyramid_.push_back(at::mm(queries, to_tokens(keys)[0].t()).view({-1, 1, keys.size(2), keys.size(3)}));
    }
}

at::Tensor RaftCorrelation::around(const at::Tensor &places, int64_t radius) const {
    constexpr int64_t bilinear = 0, zeros = 0;
    const int64_t height = places.size(2), width = places.size(3);
    const at::Tensor window = steps(radius, places.options());
    at::Tensor centres = places.permute({0, 2, 3, 1}).reshape({-1, 1, 1, 2});
    std::vector<at::Tensor> found;
    for (const at::Tensor &volume : pyramid_) {
        const at::Tensor size =
            at::tensor({static_cast<double>(volume.size(3) - 1), static_cast<double>(volume.size(2) - 1)}, places.options());
        const at::Tensor grid = (centres + window) * 2 / size - 1;
        found.push_back(at::grid_sampler_2d(volume, grid, bilinear, zeros, true).view({height, width, -1}));
        centres = centres / 2;
    }
    return at::cat(found, -1).permute({2, 0, 1}).unsqueeze(0);
}

} // namespace aianime::nn
