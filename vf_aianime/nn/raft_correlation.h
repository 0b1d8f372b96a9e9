// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace aianime::nn {

// How like each cell of one picture each cell of another is, the other also at half, a quarter and an eighth of its size. Holds
// 4/3 n^2 numbers for pictures of n cells: 69 MB for 45x80 cells, which are 640x360 pixels.
class RaftCorrelation {
public:
    static constexpr int64_t levels = 4;

    // Features [1, c, h, w], h and w at least 2^levels, or the coarsest level could not be looked up.
    RaftCorrelation(const at::Tensor &from, const at::Tensor &to);
    // What lies within `radius` cells of each place at every level: places [1, 2, h, w] in cells of the finest, x before y ->
    // [1, levels (2 radius + 1)^2, h, w].
    at::Tensor around(const at::Tensor &places, int64_t radius) const;

private:
    std::vector<at::Tensor> pyramid_; // [h * w, 1, h / 2^level, w / 2^level]
};

} // namespace aianime::nn
