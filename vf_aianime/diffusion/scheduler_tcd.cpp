// SPDX-License-Identifier: LGPL-2.1-or-later
// Zheng et al., "Trajectory Consistency Distillation" (arXiv 2402.19159), strategic stochastic sampling: each step goes to a noise
// level below the next one, as far as gamma says, and fresh noise brings it up again.
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "io/error.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Tcd final : public Scheduler {
public:
    explicit Tcd(const SchedulerConfig &config) : Scheduler(config) {
        if (!(config.gamma >= 0 && config.gamma <= 1))
            throw Error(AIANIME_OUT_OF_RANGE, "scheduler: gamma " + std::to_string(config.gamma) + " is not between 0 and 1");
    }

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) override {
        const bool last = static_cast<size_t>(i) + 1 == timesteps_.size();
        const double next_t = last ? 0.0 : timesteps_.at(static_cast<size_t>(i) + 1);
        // In float32, as diffusers rounds it.
        const double below = std::floor(static_cast<float>(1 - config_.gamma) * static_cast<float>(next_t));
        const double next = alpha_at(next_t), lower = alpha_at(below);

        const Denoised denoised = split_output(config_.prediction, output.to(at::kFloat), latents.to(at::kFloat),
                                               alpha_at(timesteps_.at(static_cast<size_t>(i))));
        const at::Tensor noised = std::sqrt(lower) * denoised.original + std::sqrt(1 - lower) * denoised.epsilon;
        if (last || config_.gamma <= 0)
            return noised;
        return std::sqrt(next / lower) * noised + std::sqrt(1 - next / lower) * noise(i);
    }

protected:
    std::vector<double> make_timesteps(int64_t steps) override { return distilled_timesteps(config_, steps); }
    void begin_at(int64_t) override {}

private:
    double alpha_at(double t) const { return alphas_cumprod_[static_cast<size_t>(t)]; }
};

} // namespace

std::unique_ptr<Scheduler> make_tcd(const SchedulerConfig &config) { return std::make_unique<Tcd>(config); }

} // namespace aianime::diffusion
