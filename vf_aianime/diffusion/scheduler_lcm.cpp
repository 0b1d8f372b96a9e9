// SPDX-License-Identifier: LGPL-2.1-or-later
// Luo et al., "Latent Consistency Models" (arXiv 2310.04378): each step predicts the clean sample, then noise is added anew.
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Lcm final : public Scheduler {
public:
    explicit Lcm(const SchedulerConfig &config) : Scheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) override {
        const double t = timesteps_.at(static_cast<size_t>(i));
        const at::Tensor x = latents.to(at::kFloat);
        const at::Tensor original =
            clip_original(config_, split_output(config_.prediction, output.to(at::kFloat), x, alpha_at(i)).original);

        // Boundary condition of the consistency function: at timestep 0 the sample itself.
        constexpr double data_deviation = 0.5;
        const double scaled = t * config_.timestep_scaling;
        const double square = scaled * scaled + data_deviation * data_deviation;
        const at::Tensor denoised = (scaled / std::sqrt(square)) * original + (data_deviation * data_deviation / square) * x;
        if (static_cast<size_t>(i) + 1 == timesteps_.size())
            return denoised;
        const double next = alpha_at(i + 1);
        return std::sqrt(next) * denoised + std::sqrt(1 - next) * noise(i);
    }

protected:
    std::vector<double> make_timesteps(int64_t steps) override { return distilled_timesteps(config_, steps); }
    void begin_at(int64_t) override {}

private:
    double alpha_at(int64_t i) const { return alphas_cumprod_[static_cast<size_t>(timesteps_.at(static_cast<size_t>(i)))]; }
};

} // namespace

std::unique_ptr<Scheduler> make_lcm(const SchedulerConfig &config) { return std::make_unique<Lcm>(config); }

} // namespace aianime::diffusion
