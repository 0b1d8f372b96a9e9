// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "train/diffusion.h"
#include "train/pack_networks.h"
#include "train/pairs.h"

namespace aianime::train {

// Sums of mean absolute difference, squared difference and difference of gradients (which keeps lines sharp) of pictures in
// [-1, 1], [n, 3, h, w].
at::Tensor picture_loss(const at::Tensor &picture, const at::Tensor &target);

// Which of a batch's targets source, prompt and the noise's offset tell, bool [n].
at::Tensor determined(const Batch &batch, double noise_offset);

// Autoencoder on the targets and, for pictures that are to be stylized only a little, their sources. Latents are disturbed slightly
// before they are decoded, because those it will be given are never exact, and drawn to mean 0 and spread 1.
at::Tensor autoencoder_loss(const PackNetworks &networks, const Batch &batch, const at::Generator &generator);

// n timesteps, int64: a share of them pure noise, of the rest half at those of a run of `steps` steps, half anywhere.
at::Tensor draw_timesteps(const Diffusion &diffusion, int64_t n, int64_t steps, double pure_noise, const at::Generator &generator);

// Squared error at random timesteps, a share of them pure noise: all that source and prompt tell is learnt there. And, weighed, the
// decoded picture where pure noise is all there is and the source determines it.
at::Tensor denoiser_loss(const PackNetworks &networks, const Diffusion &diffusion, const Batch &batch, int64_t steps,
                         double pure_noise, double picture_weight, const at::Generator &generator);

} // namespace aianime::train
