// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "diffusion/scheduler.h"

namespace aianime::diffusion {

// The product of (1 - beta) up to each training timestep, rounded to float32 at every stage as diffusers does it: these numbers are
// part of what a model was trained with. Throws Error (BAD_DATA) for an unknown schedule or values out of range.
std::vector<double> make_alphas_cumprod(const SchedulerConfig &config);

} // namespace aianime::diffusion
