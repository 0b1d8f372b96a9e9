// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace aianime::diffusion {

// Standard normal noise that is a pure function of its arguments: Philox4x32-10 (Salmon et al., SC 2011) keyed by the seed, counted
// by (element / 4, key, stream), then Box-Muller in float64 rounded to float32. The same numbers on every device, batch and shard.
//
// `key` tells frames apart (their source time in microseconds; 0 in noise mode `shared`), `stream` tells draws apart (0 for the
// initial latents, 1 + step for the noise of a step). Returns float32 [channels, height, width] on the CPU.
at::Tensor counter_noise(uint64_t seed, int64_t key, uint32_t stream, int64_t channels, int64_t height, int64_t width);

} // namespace aianime::diffusion
