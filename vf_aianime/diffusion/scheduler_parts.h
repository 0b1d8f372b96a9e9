// SPDX-License-Identifier: LGPL-2.1-or-later
// What the samplers share. Private to diffusion/.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "diffusion/scheduler.h"

namespace aianime::diffusion {

std::unique_ptr<Scheduler> make_ddpm(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_ddim(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_dpmpp_2m(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_euler(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_euler_ancestral(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_lcm(const SchedulerConfig &config);
std::unique_ptr<Scheduler> make_tcd(const SchedulerConfig &config);

// A network's output read both ways.
struct Denoised {
    at::Tensor original; // the clean sample it implies
    at::Tensor epsilon;  // the noise it implies
};

// For latents of unit variance: latents = sqrt(alpha) * original + sqrt(1 - alpha) * epsilon.
Denoised split_output(Prediction prediction, const at::Tensor &output, const at::Tensor &latents, double alpha);

// The clean sample for latents kept as original + sigma * epsilon.
at::Tensor original_from_sigma(Prediction prediction, const at::Tensor &output, const at::Tensor &latents, double sigma);

// Clamps when config.clip_sample says so.
at::Tensor clip_original(const SchedulerConfig &config, const at::Tensor &original);

// Noise level sqrt((1 - alpha) / alpha) of each of `timesteps`, between training timesteps linearly, and a 0 at the end. Where
// rescaled betas make the last level infinite it is made very large, as diffusers does. float32 values.
std::vector<double> make_sigmas(const SchedulerConfig &config, const std::vector<double> &alphas_cumprod,
                                const std::vector<double> &timesteps);

} // namespace aianime::diffusion
