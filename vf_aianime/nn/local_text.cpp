// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/local_text.h"

#include "nn/aten.h"

namespace aianime::nn {

at::Tensor LocalWords::tokens() const { return tokens_.unsqueeze(0); }

at::Tensor LocalWords::bias(int64_t height, int64_t width) {
    const at::Tensor logarithms = at::log(masks_.at(height, width).transpose(1, 2)); // [batch, places, entries]
    return at::repeat_interleave(logarithms, at::tensor(lengths_, at::kLong).to(logarithms.device()), 2);
}

} // namespace aianime::nn
