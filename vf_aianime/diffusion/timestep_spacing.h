// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "diffusion/scheduler.h"

namespace aianime::diffusion {

// `steps` of the training timesteps, falling, chosen by config.timestep_spacing (arXiv 2305.08891, table 2). Whole numbers, except
// linspace with `fractional`, which Euler samplers use as it is. Throws Error (BAD_DATA) for an unknown spacing.
std::vector<double> spaced_timesteps(const SchedulerConfig &config, int64_t steps, bool fractional);

// The same for DPM-Solver++, whose leading and linspace spacings divide the range into one part more and drop the last.
std::vector<double> spaced_timesteps_without_last(const SchedulerConfig &config, int64_t steps);

// For LCM and TCD: evenly chosen from the original_inference_steps timesteps the model was distilled at; the configuration's
// spacing does not matter. Throws Error (OUT_OF_RANGE) for more steps than there are; BAD_DATA for a configuration without any.
std::vector<double> distilled_timesteps(const SchedulerConfig &config, int64_t steps);

} // namespace aianime::diffusion
