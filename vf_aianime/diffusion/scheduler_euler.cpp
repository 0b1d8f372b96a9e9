// SPDX-License-Identifier: LGPL-2.1-or-later
// Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (arXiv 2206.00364), algorithm 2 without its
// second evaluation and without added noise.
#include <algorithm>
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/sigma_scheduler.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class Euler final : public SigmaScheduler {
public:
    explicit Euler(const SchedulerConfig &config) : SigmaScheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &) override {
        const double sigma = sigma_at(i);
        const at::Tensor x = latents.to(at::kFloat);
        const at::Tensor original = original_from_sigma(config_.prediction, output.to(at::kFloat), x, sigma);
        return x + (x - original) * ((sigma_at(i + 1) - sigma) / sigma);
    }
};

} // namespace

std::unique_ptr<Scheduler> make_euler(const SchedulerConfig &config) { return std::make_unique<Euler>(config); }

} // namespace aianime::diffusion
