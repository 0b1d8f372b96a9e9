// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "nn/module.h"

namespace aianime::nn {

class WeightSource;

// Square kernels, with a bias.
class ConvTranspose2d : public Module {
public:
    ConvTranspose2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding = 0, int64_t output_padding = 0);
    at::Tensor forward(const at::Tensor &x) const;

    at::Tensor weight, bias;

private:
    int64_t stride_, padding_, output_padding_;
};

// Instance normalisation without weights.
at::Tensor instance_norm(const at::Tensor &x);
at::Tensor reflection_pad(const at::Tensor &x, int64_t by);

// Annotators have no configuration beside them: a layer's width is its weights' own, what it is fed the layer's before it. Throws
// Error (BAD_DATA) where the tensor is missing or has fewer dimensions.
int64_t side(const WeightSource &source, const std::string &name, size_t dimension);
// How many of before + "0" + after, before + "1" + after, ... there are.
int64_t count_numbered(const WeightSource &source, const std::string &before, const std::string &after);

} // namespace aianime::nn
