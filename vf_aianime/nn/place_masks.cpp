// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/place_masks.h"

#include "nn/aten.h"

namespace aianime::nn {

const at::Tensor &PlaceMasks::at(int64_t height, int64_t width) {
    at::Tensor &scaled = scaled_[{height, width}];
    if (!scaled.defined())
        scaled = at::upsample_bicubic2d(masks_, {height, width}, false).clamp_min(0).flatten(2);
    return scaled;
}

} // namespace aianime::nn
