// SPDX-License-Identifier: LGPL-2.1-or-later
// Ho et al., "Denoising Diffusion Probabilistic Models" (arXiv 2006.11239), formula 7, with the smaller of the two variances.
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Ddpm final : public Scheduler {
public:
    explicit Ddpm(const SchedulerConfig &config) : Scheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) override {
        const double alpha = alpha_at(i);
        const bool last = static_cast<size_t>(i) + 1 == timesteps_.size();
        const double previous = last ? 1.0 : alpha_at(i + 1);
        const double step_alpha = alpha / previous;
        const double step_beta = 1 - step_alpha;

        const at::Tensor x = latents.to(at::kFloat);
        const at::Tensor original =
            clip_original(config_, split_output(config_.prediction, output.to(at::kFloat), x, alpha).original);
        const double original_weight = std::sqrt(previous) * step_beta / (1 - alpha);
        const double latents_weight = std::sqrt(step_alpha) * (1 - previous) / (1 - alpha);
        const at::Tensor mean = original_weight * original + latents_weight * x;
        if (last)
            return mean;
        return mean + std::sqrt((1 - previous) / (1 - alpha) * step_beta) * noise(i);
    }

protected:
    std::vector<double> make_timesteps(int64_t steps) override { return spaced_timesteps(config_, steps, false); }
    void begin_at(int64_t) override {}

private:
    double alpha_at(int64_t i) const { return alphas_cumprod_[static_cast<size_t>(timesteps_.at(static_cast<size_t>(i)))]; }
};

} // namespace

std::unique_ptr<Scheduler> make_ddpm(const SchedulerConfig &config) { return std::make_unique<Ddpm>(config); }

} // namespace aianime::diffusion
