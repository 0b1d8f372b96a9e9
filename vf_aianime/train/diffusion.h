// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "diffusion/scheduler.h"

namespace aianime::train {

// The noise schedule's numbers that training needs. Here all networks are spoken of as if they named the velocity
// v = signal * noise - spread * clean (arXiv 2202.00512); one that names the clean latents ("sample") is translated.
class Diffusion {
public:
    explicit Diffusion(const diffusion::SchedulerConfig &config);
    // Of timesteps, int64 [n]; shape [n, 1, 1, 1].
    at::Tensor signal(const at::Tensor &timesteps) const; // sqrt(alpha bar)
    at::Tensor noise(const at::Tensor &timesteps) const;  // sqrt(1 - alpha bar)
    // v from what the U-Net says of noisy latents x [n, ...] at timesteps [n] of any type.
    at::Tensor velocity(const at::Tensor &output, const at::Tensor &x, const at::Tensor &timesteps) const;
    // A difference of velocities as one of what the U-Net says: that is what its loss counts.
    at::Tensor error(const at::Tensor &difference, const at::Tensor &timesteps) const;
    // `trailing` timesteps of a run of so many steps, from the noisiest on.
    std::vector<int64_t> trailing(int64_t steps) const;
    int64_t size() const { return signal_.size(0); }

private:
    diffusion::Prediction prediction_;
    at::Tensor signal_, noise_;
};

} // namespace aianime::train
