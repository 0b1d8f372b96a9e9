// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/layers.h"

namespace aianime::nn {

// A picture doubled by nearest neighbour, then a 3x3 convolution.
//
// Four neighbouring results read the same 2x2 source pixels through sums of the kernel's weights, so that 16 products replace 36.
// The sums are made in loaded(); whoever changes the weight afterwards calls that again.
class DoublingConv : public Conv2d {
public:
    DoublingConv(int64_t in, int64_t out, bool bias = true);
    void loaded() override;
    at::Tensor forward_doubled(const at::Tensor &x) const;

private:
    at::Tensor sums_;      // [4 * out, in, 2, 2]: the places above left, above right, below left, below right
    at::Tensor sums_bias_; // [4 * out], undefined without bias
};

} // namespace aianime::nn
