// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/scheduler_parts.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::diffusion {

Denoised split_output(Prediction prediction, const at::Tensor &output, const at::Tensor &latents, double alpha) {
    const double signal = std::sqrt(alpha);
    const double noise = std::sqrt(1 - alpha);
    switch (prediction) {
    case Prediction::epsilon:
        if (!(alpha > 0))
            throw Error(AIANIME_BAD_DATA,
                        "scheduler: with rescale_betas_zero_snr the first timestep is pure noise, from which a model "
                        "that predicts epsilon cannot tell the picture; use timestep_spacing leading or euler");
        return {(latents - noise * output) / signal, output};
    case Prediction::sample:
        return {output, (latents - signal * output) / noise};
    case Prediction::v:
        break;
    }
    return {signal * latents - noise * output, signal * output + noise * latents};
}

at::Tensor original_from_sigma(Prediction prediction, const at::Tensor &output, const at::Tensor &latents, double sigma) {
    switch (prediction) {
    case Prediction::epsilon:
        return latents - sigma * output;
    case Prediction::sample:
        return output;
    case Prediction::v:
        break;
    }
    const double square = sigma * sigma + 1;
    return output * (-sigma / std::sqrt(square)) + latents / square;
}

at::Tensor clip_original(const SchedulerConfig &config, const at::Tensor &original) {
    return config.clip_sample ? original.clamp(-config.clip_sample_range, config.clip_sample_range) : original;
}

std::vector<double> make_sigmas(const SchedulerConfig &config, const std::vector<double> &alphas_cumprod,
                                const std::vector<double> &timesteps) {
    std::vector<double> levels;
    for (double alpha : alphas_cumprod)
        levels.push_back(std::sqrt((1 - alpha) / alpha));
    if (config.rescale_betas_zero_snr)
        levels.back() = std::sqrt((1 - std::ldexp(1.0, -24)) / std::ldexp(1.0, -24));

    std::vector<double> sigmas;
    for (double t : timesteps) {
        const auto low = std::min(static_cast<size_t>(t), levels.size() - 1);
        const size_t high = std::min(low + 1, levels.size() - 1);
        const double sigma = levels[low] + (levels[high] - levels[low]) * (t - static_cast<double>(low));
        sigmas.push_back(static_cast<double>(static_cast<float>(sigma)));
    }
    sigmas.push_back(0);
    return sigmas;
}

} // namespace aianime::diffusion
