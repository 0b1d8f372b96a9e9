// SPDX-License-Identifier: LGPL-2.1-or-later
// Euler steps to a noise level below the next one, then fresh noise up to it.
#include <cmath>

#include "diffusion/scheduler_parts.h"
#include "diffusion/sigma_scheduler.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

class EulerAncestral final : public SigmaScheduler {
public:
    explicit EulerAncestral(const SchedulerConfig &config) : SigmaScheduler(config) {}

    at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) override {
        const double from = sigma_at(i);
        const double to = sigma_at(i + 1);
        const double up = to * std::sqrt(std::max(from * from - to * to, 0.0)) / from;
        const double down = to * to / from; // sqrt(to^2 - up^2)

        const at::Tensor x = latents.to(at::kFloat);
        const at::Tensor original = original_from_sigma(config_.prediction, output.to(at::kFloat), x, from);
        const at::Tensor next = x + (x - original) * ((down - from) / from);
        return up > 0 ? next + up * noise(i) : next;
    }
};

} // namespace

std::unique_ptr<Scheduler> make_euler_ancestral(const SchedulerConfig &config) { return std::make_unique<EulerAncestral>(config); }

} // namespace aianime::diffusion
