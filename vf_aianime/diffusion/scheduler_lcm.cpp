// SPDX-License-Identifier: LGPL-2.1-or-later
// Luo et al., "Latent Consistency Models" (arXiv 2310.04378): each step predicts the clean sample, then noise is added anew.
#include <algorithm>
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "io/error.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Lcm final : public Scheduler {
public:
    explicit Lcm(const SchedulerConfig &config) : Scheduler(config) {
        if (config.original_inference_steps < 1 || config.original_inference_steps > config.num_train_timesteps)
            throw Error(AIANIME_BAD_DATA, "scheduler: original_inference_steps " + std::to_string(config.original_inference_steps) +
                                              " is not between 1 and " + std::to_string(config.num_train_timesteps));
    }

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
    // Evenly chosen from the timesteps the model was distilled at; the configuration's spacing does not matter.
    std::vector<double> make_timesteps(int64_t steps) override {
        const int64_t original = config_.original_inference_steps;
        if (steps > original)
            throw Error(AIANIME_OUT_OF_RANGE,
                        "steps: " + std::to_string(steps) + " are too many for scheduler lcm, at most " + std::to_string(original));
        const int64_t stride = config_.num_train_timesteps / original;
        const double spacing = static_cast<double>(original) / static_cast<double>(steps);
        std::vector<double> result;
        for (int64_t i = 0; i < steps; ++i) {
            const auto index = static_cast<int64_t>(std::floor(static_cast<double>(i) * spacing));
            result.push_back(static_cast<double>((original - index) * stride - 1));
        }
        return result;
    }

    void begin_at(int64_t) override {}

private:
    double alpha_at(int64_t i) const { return alphas_cumprod_[static_cast<size_t>(timesteps_.at(static_cast<size_t>(i)))]; }
};

} // namespace

std::unique_ptr<Scheduler> make_lcm(const SchedulerConfig &config) { return std::make_unique<Lcm>(config); }

} // namespace aianime::diffusion
