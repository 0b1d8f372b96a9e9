// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/timestep_spacing.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"

namespace aianime::diffusion {

namespace {

// Halves go to the even neighbour, as in numpy.
double round_half_even(double value) { return std::nearbyint(value); }

std::vector<double> leading(const SchedulerConfig &config, int64_t steps, int64_t parts) {
    const int64_t ratio = config.num_train_timesteps / parts;
    std::vector<double> result;
    for (int64_t i = 0; i < steps; ++i)
        result.push_back(static_cast<double>((parts - 1 - i) * ratio + config.steps_offset));
    return result;
}

std::vector<double> trailing(const SchedulerConfig &config, int64_t steps) {
    const double last = static_cast<double>(config.num_train_timesteps);
    const double ratio = last / static_cast<double>(steps);
    std::vector<double> result;
    for (int64_t i = 0; i < steps; ++i)
        result.push_back(round_half_even(last - static_cast<double>(i) * ratio) - 1);
    return result;
}

std::vector<double> linspace(const SchedulerConfig &config, int64_t steps, int64_t parts, bool fractional) {
    const double last = static_cast<double>(config.num_train_timesteps - 1);
    std::vector<double> result;
    for (int64_t i = 0; i < steps; ++i) {
        const int64_t position = parts - 1 - i;
        const bool at_end = i == 0 && parts > 1;
        const double value =
            at_end ? last : static_cast<double>(position) * (last / static_cast<double>(std::max<int64_t>(parts - 1, 1)));
        result.push_back(fractional ? static_cast<double>(static_cast<float>(value)) : round_half_even(value));
    }
    return result;
}

[[noreturn]] void refuse_spacing(const std::string &spacing) {
    throw Error(AIANIME_BAD_DATA,
                "scheduler: timestep_spacing '" + spacing + "' is not known; known are leading, trailing and linspace");
}

} // namespace

std::vector<double> spaced_timesteps(const SchedulerConfig &config, int64_t steps, bool fractional) {
    if (config.timestep_spacing == "leading")
        return leading(config, steps, steps);
    if (config.timestep_spacing == "trailing")
        return trailing(config, steps);
    if (config.timestep_spacing == "linspace")
        return linspace(config, steps, steps, fractional);
    refuse_spacing(config.timestep_spacing);
}

std::vector<double> spaced_timesteps_without_last(const SchedulerConfig &config, int64_t steps) {
    if (config.timestep_spacing == "leading")
        return leading(config, steps, steps + 1);
    if (config.timestep_spacing == "trailing")
        return trailing(config, steps);
    if (config.timestep_spacing == "linspace")
        return linspace(config, steps, steps + 1, false);
    refuse_spacing(config.timestep_spacing);
}

std::vector<double> distilled_timesteps(const SchedulerConfig &config, int64_t steps) {
    const int64_t original = config.original_inference_steps;
    if (original < 1 || original > config.num_train_timesteps)
        throw Error(AIANIME_BAD_DATA, "scheduler: original_inference_steps " + std::to_string(original) + " is not between 1 and " +
                                          std::to_string(config.num_train_timesteps));
    if (steps > original)
        throw Error(AIANIME_OUT_OF_RANGE, "steps: " + std::to_string(steps) +
                                              " are too many for a scheduler of distilled models (lcm, tcd), at most " +
                                              std::to_string(original));
    const int64_t stride = config.num_train_timesteps / original;
    const double spacing = static_cast<double>(original) / static_cast<double>(steps);
    std::vector<double> result;
    for (int64_t i = 0; i < steps; ++i) {
        const auto index = static_cast<int64_t>(std::floor(static_cast<double>(i) * spacing));
        result.push_back(static_cast<double>((original - index) * stride - 1));
    }
    return result;
}

} // namespace aianime::diffusion
