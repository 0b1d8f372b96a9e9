// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace aianime::diffusion {

// Noise that is carried along the motion of a shot and still independent from cell to cell ("How I Warped Your Noise", Chang et
// al., ICLR 2024): the noise of key 0 is refined to a grid `noise_refinement` times finer whose cells add up to it; a frame takes
// fine cells from where its places lay in the shot's first frame, none twice, and adds them up. A function of seed, key and the
// motion between the two frames, and so the same in every segment.
constexpr int64_t noise_refinement = 4;

// Which fine cell of the first frame each fine cell of this frame takes, int64 [height, width]; -1: none, it draws its own. Places
// to be trusted go first, in scan order; the others take what is at their own place, unless it is taken.
// flow: float32 [2, height, width] (x, y), in fine cells, from this frame to the first; valid: float32 [height, width], trusted
// above 0.5.
at::Tensor noise_places(const at::Tensor &flow, const at::Tensor &valid);

// The fine cells of counter_noise(seed, 0, stream, ...): float32 [channels, height, width] in fine cells, standard normal each.
at::Tensor fine_noise(uint64_t seed, uint32_t stream, int64_t channels, int64_t height, int64_t width);

// float32 [channels, height / noise_refinement, width / noise_refinement]. fine: of the same seed and stream. key: the frame's, for
// what it draws itself.
at::Tensor warped_noise(const at::Tensor &fine, const at::Tensor &places, uint64_t seed, int64_t key, uint32_t stream);

} // namespace aianime::diffusion
