// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/layers.h"

namespace aianime::nn {

// One time step for a whole batch, or float32 [batch].
struct Timesteps {
    Timesteps(double one);                                  // NOLINT: a number is meant to do
    Timesteps(at::Tensor each) : values(std::move(each)) {} // NOLINT
    at::Tensor values;                                      // [1] or [batch]
};

// Sines and cosines of time steps, [n], at geometrically spaced frequencies (diffusers Timesteps): float32 [n, channels]
// on their device.
at::Tensor sinusoidal_timestep(const Timesteps &timesteps, int64_t channels, bool flip_sin_to_cos, double freq_shift);

// diffusers TimestepEmbedding with the activation every consumer applies first: [n, in] -> [n, out].
// more: what else conditions the blocks, [1 or m, out], where n is 1 or m; may be undefined.
class TimestepEmbedding : public Module {
public:
    TimestepEmbedding(int64_t in, int64_t out);
    at::Tensor forward(const at::Tensor &sinusoids, const at::Tensor &more = {}) const;

private:
    Linear linear_1, linear_2;
};

} // namespace aianime::nn
