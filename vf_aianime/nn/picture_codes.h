// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace aianime::nn {

// Pictures as the Python references see them: eight bits a value. Values are in [0, 1].

// The nearest values that eight bits can say.
at::Tensor in_codes(const at::Tensor &pictures);

// [n, c, h, w] -> [n, c, height, width], bicubic with antialiasing as Pillow does it: one direction after the other, widths first,
// 8-bit code values after each. float32; a picture that has the size already is only rounded.
at::Tensor resize_codes(const at::Tensor &pictures, int64_t height, int64_t width);

// RGB less CLIP's mean and by its deviation, both per channel.
at::Tensor clip_normalized(const at::Tensor &pictures);

} // namespace aianime::nn
