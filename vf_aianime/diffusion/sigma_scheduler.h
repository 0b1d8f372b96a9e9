// SPDX-License-Identifier: LGPL-2.1-or-later
// The part the Euler samplers share. Private to diffusion/.
#pragma once

#include <vector>

#include "diffusion/scheduler.h"

namespace aianime::diffusion {

// Latents are kept as original + sigma * noise; the network is given them at unit variance.
class SigmaScheduler : public Scheduler {
public:
    at::Tensor scale_model_input(const at::Tensor &latents, int64_t i) const override;

protected:
    explicit SigmaScheduler(const SchedulerConfig &config) : Scheduler(config) {}

    std::vector<double> make_timesteps(int64_t steps) override;
    void begin_at(int64_t begin) override;
    double init_noise_sigma() const override;
    at::Tensor add_noise(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const override;
    double signal_variance(int64_t i) const override { return 1 / (sigma_at(i) * sigma_at(i) + 1); }

    // The noise level of step i; 0 after the last.
    double sigma_at(int64_t i) const { return sigmas_.at(static_cast<size_t>(i)); }

private:
    std::vector<double> sigmas_;
};

} // namespace aianime::diffusion
