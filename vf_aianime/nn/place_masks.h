// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <utility>

namespace aianime::nn {

// Where in the pictures of a batch something holds: soft masks, scaled to the grid of each layer in turn as diffusers'
// IPAdapterMaskProcessor scales them (bicubic), but never below 0. One object per forward pass.
class PlaceMasks {
public:
    // float32 [batch, n, H, W], 0 and above.
    explicit PlaceMasks(at::Tensor masks) : masks_(std::move(masks)) {}

    // [batch, n, height * width]
    const at::Tensor &at(int64_t height, int64_t width);

private:
    at::Tensor masks_;
    std::map<std::pair<int64_t, int64_t>, at::Tensor> scaled_;
};

} // namespace aianime::nn
