// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/sigma_scheduler.h"

#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "nn/aten.h"

namespace aianime::diffusion {

std::vector<double> SigmaScheduler::make_timesteps(int64_t steps) { return spaced_timesteps(config_, steps, true); }

void SigmaScheduler::begin_at(int64_t) { sigmas_ = make_sigmas(config_, alphas_cumprod_, timesteps_); }

// Leading spacing does not begin at the last timestep, so the variance of the picture below the noise counts.
double SigmaScheduler::init_noise_sigma() const {
    const double sigma = sigmas_.front();
    return config_.timestep_spacing == "leading" ? std::sqrt(sigma * sigma + 1) : sigma;
}

at::Tensor SigmaScheduler::add_noise(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const {
    return clean + sigma_at(i) * noise;
}

at::Tensor SigmaScheduler::scale_model_input(const at::Tensor &latents, int64_t i) const {
    const double sigma = sigma_at(i);
    return latents / std::sqrt(sigma * sigma + 1);
}

} // namespace aianime::diffusion
