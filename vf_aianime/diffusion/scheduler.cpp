// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/scheduler.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "diffusion/beta_schedule.h"
#include "diffusion/scheduler_parts.h"
#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

struct Sampler {
    const char *name;
    const char *class_name;
    std::unique_ptr<Scheduler> (*make)(const SchedulerConfig &config);
};

constexpr Sampler samplers[] = {
    {"ddpm", "DDPMScheduler", make_ddpm},
    {"ddim", "DDIMScheduler", make_ddim},
    {"dpmpp_2m", "DPMSolverMultistepScheduler", make_dpmpp_2m},
    {"euler", "EulerDiscreteScheduler", make_euler},
    {"euler_a", "EulerAncestralDiscreteScheduler", make_euler_ancestral},
    {"lcm", "LCMScheduler", make_lcm},
    {"tcd", "TCDScheduler", make_tcd},
};

} // namespace

std::unique_ptr<Scheduler> Scheduler::create(const std::string &name, const SchedulerConfig &config) {
    for (const Sampler &sampler : samplers)
        if (name == sampler.name)
            return sampler.make(config);
    throw Error(AIANIME_BAD_DATA, "scheduler: " + io::quoted(name) + " is not known" + io::suggestion(name, names()));
}

std::vector<std::string> Scheduler::names() {
    std::vector<std::string> result;
    for (const Sampler &sampler : samplers)
        result.emplace_back(sampler.name);
    return result;
}

std::string Scheduler::name_for_class(const std::string &class_name) {
    for (const Sampler &sampler : samplers)
        if (class_name == sampler.class_name)
            return sampler.name;
    return "";
}

Scheduler::Scheduler(const SchedulerConfig &config) : config_(config), alphas_cumprod_(make_alphas_cumprod(config)) {}

void Scheduler::start(int64_t steps, double strength) {
    if (steps < 1 || steps > config_.num_train_timesteps)
        throw Error(AIANIME_OUT_OF_RANGE,
                    "steps: " + std::to_string(steps) + " is not between 1 and " + std::to_string(config_.num_train_timesteps));
    if (!(strength > 0 && strength <= 1))
        throw Error(AIANIME_OUT_OF_RANGE, "strength: " + std::to_string(strength) + " is not above 0 and at most 1");
    std::vector<double> all = make_timesteps(steps);
    const bool repeats = std::adjacent_find(all.begin(), all.end(), std::less_equal<>()) != all.end();
    if (repeats || all.front() >= static_cast<double>(config_.num_train_timesteps) || all.back() < 0)
        throw Error(AIANIME_OUT_OF_RANGE,
                    "steps: " + std::to_string(steps) +
                        " are too many for this sampler, its timesteps would repeat or lie outside; use fewer");

    const auto kept = std::clamp<int64_t>(static_cast<int64_t>(static_cast<double>(steps) * strength), 1, steps);
    const int64_t begin = steps - kept;
    strength_ = strength;
    timesteps_.assign(all.begin() + begin, all.end());
    begin_at(begin);
}

at::Tensor Scheduler::first_latents(const at::Tensor &encoded, const at::Tensor &noise) const {
    const at::Tensor drawn = noise.to(at::kFloat);
    if (strength_ >= 1)
        return drawn * init_noise_sigma();
    return add_noise(encoded.to(at::kFloat), drawn, 0);
}

at::Tensor Scheduler::noised(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const {
    return i < static_cast<int64_t>(timesteps_.size()) ? add_noise(clean, noise, i) : clean;
}

at::Tensor Scheduler::scale_model_input(const at::Tensor &latents, int64_t) const { return latents; }

at::Tensor Scheduler::add_noise(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const {
    const double alpha = alphas_cumprod_[static_cast<size_t>(timesteps_[static_cast<size_t>(i)])];
    return std::sqrt(alpha) * clean + std::sqrt(1 - alpha) * noise;
}

double Scheduler::signal_variance(int64_t i) const {
    return alphas_cumprod_[static_cast<size_t>(timesteps_.at(static_cast<size_t>(i)))];
}

at::Tensor Scheduler::clean(const at::Tensor &output, const at::Tensor &latents, int64_t i) const {
    return split_output(config_.prediction, output, scale_model_input(latents, i), signal_variance(i)).original;
}

// The input being what it is, epsilon = (input - signal * clean) / noise, and v = signal * epsilon - noise * clean.
at::Tensor Scheduler::output_changed_by(const at::Tensor &change, const at::Tensor &output, int64_t i) const {
    const double alpha = signal_variance(i), signal = std::sqrt(alpha), noise = std::sqrt(1 - alpha);
    switch (config_.prediction) {
    case Prediction::epsilon:
        return output - (signal / noise) * change;
    case Prediction::v:
        return output - change / noise;
    case Prediction::sample:
        break;
    }
    return output + change;
}

} // namespace aianime::diffusion
