// SPDX-License-Identifier: LGPL-2.1-or-later
// Lu et al., "DPM-Solver++" (arXiv 2211.01095), algorithm 2: second order, multistep, midpoint form, data prediction.
#include <cmath>
#include <limits>

#include "diffusion/scheduler_parts.h"
#include "diffusion/timestep_spacing.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

// A noise level in the terms of the paper.
struct Level {
    explicit Level(double sigma_over_alpha)
        : alpha(1 / std::sqrt(sigma_over_alpha * sigma_over_alpha + 1)), sigma(sigma_over_alpha * alpha),
          lambda(sigma > 0 ? std::log(alpha / sigma) : std::numeric_limits<double>::infinity()) {}
    double alpha;
    double sigma;
    double lambda; // half the logarithm of the signal to noise ratio
};

class DpmSolverPlusPlus final : public Scheduler {
public:
    explicit DpmSolverPlusPlus(const SchedulerConfig &config) : Scheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &) override {
        const Level from(sigmas_.at(static_cast<size_t>(i)));
        const Level to(sigmas_.at(static_cast<size_t>(i) + 1));
        const at::Tensor x = latents.to(at::kFloat);
        const at::Tensor original = to_original(output.to(at::kFloat), x, from);

        const double h = to.lambda - from.lambda;
        const double gain = -to.alpha * std::expm1(-h);
        at::Tensor next = (to.sigma / from.sigma) * x + gain * original;
        // The last step goes to sigma 0, where h is infinite and only the first order has a limit.
        const bool last = static_cast<size_t>(i) + 1 == timesteps_.size();
        if (i > 0 && !last && previous_.defined()) {
            const double ratio = (from.lambda - Level(sigmas_[static_cast<size_t>(i) - 1]).lambda) / h;
            next = next + (0.5 * gain / ratio) * (original - previous_);
        }
        previous_ = original;
        return next;
    }

protected:
    std::vector<double> make_timesteps(int64_t steps) override { return spaced_timesteps_without_last(config_, steps); }

    void begin_at(int64_t) override {
        sigmas_ = make_sigmas(config_, alphas_cumprod_, timesteps_);
        previous_ = at::Tensor();
    }

    at::Tensor add_noise(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const override {
        const Level level(sigmas_.at(static_cast<size_t>(i)));
        return level.alpha * clean + level.sigma * noise;
    }

    double signal_variance(int64_t i) const override {
        const double alpha = Level(sigmas_.at(static_cast<size_t>(i))).alpha;
        return alpha * alpha;
    }

private:
    at::Tensor to_original(const at::Tensor &output, const at::Tensor &latents, const Level &level) const {
        switch (config_.prediction) {
        case Prediction::epsilon:
            return (latents - level.sigma * output) / level.alpha;
        case Prediction::sample:
            return output;
        case Prediction::v:
            break;
        }
        return level.alpha * latents - level.sigma * output;
    }

    std::vector<double> sigmas_;
    at::Tensor previous_; // the clean sample of the step before
};

} // namespace

std::unique_ptr<Scheduler> make_dpmpp_2m(const SchedulerConfig &config) { return std::make_unique<DpmSolverPlusPlus>(config); }

} // namespace aianime::diffusion
