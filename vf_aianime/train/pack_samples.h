// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/pack_losses.h"

namespace aianime::train {

// Runs `steps` DDIM steps (eta 0, trailing) from pure noise: latents for sources [n, 3, h, w] in [0, 1] and an encoded prompt each.
// local: as PackNetworks::velocity().
at::Tensor sample_latents(const PackNetworks &networks, const Diffusion &diffusion, const at::Tensor &source,
                          const at::Tensor &text, const at::Tensor &noise, int64_t steps, const nn::LocalText *local = nullptr);
// One deterministic step: latents at timestep `from` and the velocity there -> latents at `to`, below 0 the clean ones.
at::Tensor ddim_step(const Diffusion &diffusion, const at::Tensor &x, const at::Tensor &velocity, int64_t from, int64_t to);

// Mean over 16 fixed crops, dB.
double reconstruction_psnr(const PackNetworks &networks, const PairSet &pairs);

// Sheets of fixed crops: target above its reconstruction; source, target, result side by side.
void sample_autoencoder(const PackNetworks &networks, const PairSet &pairs, const std::string &path);
void sample_denoiser(const PackNetworks &networks, const Diffusion &diffusion, const PairSet &pairs, int64_t steps,
                     const std::string &path);

} // namespace aianime::train
