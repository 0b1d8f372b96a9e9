// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "nn/layers.h"

namespace aianime::nn {

// Large pictures go through a 3x3 convolution in strips of rows, so that what stands between two layers never exists as a whole: an
// autoencoder's decoder at full size is what a run's memory peaks at. The result differs from the whole's by rounding only.

// Bytes of a tensor above which it is worth it, and of a strip.
constexpr int64_t large_bytes = int64_t{48} << 20;
constexpr int64_t strip_bytes = int64_t{16} << 20;

// Whether a tensor of this size is large and nothing is being trained.
bool in_strips(int64_t bytes, const at::Tensor &weight);

// Calls work(first, end, rows) for consecutive strips of x, [n, c, h, w]; `rows` are the rows first - 1 to end, with zeros beyond
// the picture.
void for_strips(const at::Tensor &x, int64_t bytes_a_strip,
                const std::function<void(int64_t first, int64_t end, const at::Tensor &rows)> &work);

// conv(silu(norm(x))) for a 3x3 convolution with stride 1.
at::Tensor norm_silu_conv(const GroupNorm &norm, const Conv2d &conv, const at::Tensor &x, int64_t bytes_a_strip = strip_bytes);

} // namespace aianime::nn
