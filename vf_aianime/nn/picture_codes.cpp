// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/picture_codes.h"

#include "nn/aten.h"

namespace aianime::nn {

at::Tensor in_codes(const at::Tensor &pictures) { return (pictures.clamp(0, 1) * 255).round() / 255; }

at::Tensor resize_codes(const at::Tensor &pictures, int64_t height, int64_t width) {
    at::Tensor x = in_codes(pictures.to(at::kFloat));
    if (width != x.size(3))
        x = in_codes(at::_upsample_bicubic2d_aa(x.contiguous(), {x.size(2), width}, false));
    if (height != x.size(2))
        x = in_codes(at::_upsample_bicubic2d_aa(x.contiguous(), {height, width}, false));
    return x;
}

at::Tensor clip_normalized(const at::Tensor &pictures) {
    const auto per_channel = [&pictures](std::vector<float> values) {
        return at::tensor(values).view({1, 3, 1, 1}).to(pictures.device());
    };
    return (pictures - per_channel({0.48145466f, 0.4578275f, 0.40821073f})) / per_channel({0.26862954f, 0.26130258f, 0.27577711f});
}

} // namespace aianime::nn
