// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/layers.h"

namespace aianime::nn {

// Sines and cosines of a time step at geometrically spaced frequencies (diffusers Timesteps): float32 [1, channels] on the CPU.
at::Tensor sinusoidal_timestep(double timestep, int64_t channels, bool flip_sin_to_cos, double freq_shift);

// diffusers TimestepEmbedding with the activation every consumer applies first: [1, in] -> [1, out].
class TimestepEmbedding : public Module {
public:
    TimestepEmbedding(int64_t in, int64_t out);
    at::Tensor forward(const at::Tensor &sinusoids) const;

private:
    Linear linear_1, linear_2;
};

} // namespace aianime::nn
