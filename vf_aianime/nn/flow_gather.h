// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

namespace aianime::nn {

// Where the places of one picture lie in another, on a grid of h x w cells that covers both: what is at cell p here is at p +
// flow(p) there.
struct FlowField {
    at::Tensor flow;  // float32 [..., 2, h, w]: to the right, then down, in cells
    at::Tensor valid; // float32 [..., h, w] in [0, 1]: how far it can be trusted; 0 where p + flow(p) is not in the picture
};

// No motion: everything is where it was.
FlowField still(int64_t height, int64_t width);

// The same motion on another grid: cells are averaged by their validity, so that what is hidden has no say in where its cell goes.
// Validity becomes 0 where p + flow(p) leaves the picture, also at an unchanged size.
FlowField resize_flow(const FlowField &field, int64_t height, int64_t width);

// x, [n, c, h, w] of any floating type, sampled at p + flow(p), flow [n, 2, h, w]; bilinear, places outside take the border's.
// Differentiable in x.
at::Tensor gather_along(const at::Tensor &x, const at::Tensor &flow);

} // namespace aianime::nn
