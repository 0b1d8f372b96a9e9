// SPDX-License-Identifier: LGPL-2.1-or-later
// Song et al., "Denoising Diffusion Implicit Models" (arXiv 2010.02502), formulas 12 and 16.
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Ddim final : public Scheduler {
public:
    explicit Ddim(const SchedulerConfig &config) : Scheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) override {
        const auto t = static_cast<int64_t>(timesteps_.at(static_cast<size_t>(i)));
        const double alpha = alphas_cumprod_[static_cast<size_t>(t)];
        const double previous = previous_alpha(t);
        Denoised denoised = split_output(config_.prediction, output.to(at::kFloat), latents.to(at::kFloat), alpha);
        denoised.original = clip_original(config_, denoised.original);

        const double variance = (1 - previous) / (1 - alpha) * (1 - alpha / previous);
        const double deviation = config_.eta * std::sqrt(std::max(variance, 0.0));
        const double direction = std::sqrt(std::max(1 - previous - deviation * deviation, 0.0));
        const at::Tensor next = std::sqrt(previous) * denoised.original + direction * denoised.epsilon;
        return deviation > 0 ? next + deviation * noise(i) : next;
    }

protected:
    std::vector<double> make_timesteps(int64_t steps) override {
        stride_ = config_.num_train_timesteps / steps;
        return spaced_timesteps(config_, steps, false);
    }

    void begin_at(int64_t) override {}

private:
    // diffusers goes back by a fixed number of timesteps, whatever the next one is.
    double previous_alpha(int64_t t) const {
        if (t >= stride_)
            return alphas_cumprod_[static_cast<size_t>(t - stride_)];
        return config_.set_alpha_to_one ? 1.0 : alphas_cumprod_.front();
    }

    int64_t stride_ = 1;
};

} // namespace

std::unique_ptr<Scheduler> make_ddim(const SchedulerConfig &config) { return std::make_unique<Ddim>(config); }

} // namespace aianime::diffusion
