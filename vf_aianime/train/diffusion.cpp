// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/diffusion.h"

#include "diffusion/beta_schedule.h"
#include "nn/aten.h"

namespace aianime::train {

Diffusion::Diffusion(const diffusion::SchedulerConfig &config) : prediction_(config.prediction) {
    const std::vector<double> alphas = diffusion::make_alphas_cumprod(config);
    const at::Tensor all = at::tensor(alphas, at::kDouble);
    signal_ = all.sqrt().to(at::kFloat);
    noise_ = (1 - all).sqrt().to(at::kFloat);
}

at::Tensor Diffusion::signal(const at::Tensor &timesteps) const { return signal_.index_select(0, timesteps).view({-1, 1, 1, 1}); }
at::Tensor Diffusion::noise(const at::Tensor &timesteps) const { return noise_.index_select(0, timesteps).view({-1, 1, 1, 1}); }

at::Tensor Diffusion::velocity(const at::Tensor &output, const at::Tensor &x, const at::Tensor &timesteps) const {
    if (prediction_ != diffusion::Prediction::sample)
        return output;
    const at::Tensor which = timesteps.to(at::kCPU, at::kLong);
    return (signal(which).to(x.device()) * x - output) / noise(which).to(x.device());
}

at::Tensor Diffusion::error(const at::Tensor &difference, const at::Tensor &timesteps) const {
    return prediction_ == diffusion::Prediction::sample
               ? difference * noise(timesteps.to(at::kCPU, at::kLong)).to(difference.device())
               : difference;
}

std::vector<int64_t> Diffusion::trailing(int64_t steps) const {
    std::vector<int64_t> list;
    for (int64_t i = 0; i < steps; i++)
        list.push_back(size() - size() * i / steps - 1);
    return list;
}

} // namespace aianime::train
