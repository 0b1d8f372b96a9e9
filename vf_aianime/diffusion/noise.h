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

// Initial noise [channels, height, width] with `offset` times a standard normal number on top of each channel, a function of seed
// and key ("offset noise", N. Guttenberg, crosslabs.org 2023): plain noise says next to nothing of what a whole picture is to be
// like, and a network that was trained with the offset lets it decide that. Offset 0: the noise as it is.
at::Tensor offset_noise(const at::Tensor &noise, double offset, uint64_t seed, int64_t key);

} // namespace aianime::diffusion
