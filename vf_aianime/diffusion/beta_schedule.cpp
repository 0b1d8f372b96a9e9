// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/beta_schedule.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

constexpr double pi = 3.14159265358979323846;

at::Tensor cosine_betas(int64_t count) {
    const auto alpha_bar = [count](int64_t i) {
        const double t = static_cast<double>(i) / static_cast<double>(count);
        return std::pow(std::cos((t + 0.008) / 1.008 * pi / 2), 2);
    };
    const at::Tensor betas = at::empty({count}, at::kFloat);
    float *out = betas.data_ptr<float>();
    for (int64_t i = 0; i < count; ++i)
        out[i] = static_cast<float>(std::min(1 - alpha_bar(i + 1) / alpha_bar(i), 0.999));
    return betas;
}

at::Tensor make_betas(const SchedulerConfig &config) {
    const int64_t count = config.num_train_timesteps;
    if (config.beta_schedule == "linear")
        return at::linspace(config.beta_start, config.beta_end, count, at::kFloat);
    if (config.beta_schedule == "scaled_linear")
        return at::linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), count, at::kFloat).square();
    if (config.beta_schedule == "squaredcos_cap_v2")
        return cosine_betas(count);
    throw Error(AIANIME_BAD_DATA, "scheduler: beta_schedule '" + config.beta_schedule +
                                      "' is not known; known are linear, scaled_linear and squaredcos_cap_v2");
}

// Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (arXiv 2305.08891), algorithm 1: the last timestep
// becomes pure noise, the first stays as it was.
at::Tensor rescale_to_zero_terminal_snr(const at::Tensor &betas) {
    const at::Tensor root = at::cumprod(1.0 - betas, 0).sqrt();
    const at::Tensor first = root[0].clone();
    const at::Tensor last = root[-1].clone();
    const at::Tensor alphas_bar = ((root - last) * (first / (first - last))).square();
    const at::Tensor alphas = alphas_bar.slice(0, 1) / alphas_bar.slice(0, 0, -1);
    return 1.0 - at::cat({alphas_bar.slice(0, 0, 1), alphas});
}

} // namespace

std::vector<double> make_alphas_cumprod(const SchedulerConfig &config) {
    at::Tensor betas = make_betas(config);
    if (config.rescale_betas_zero_snr)
        betas = rescale_to_zero_terminal_snr(betas);
    const at::Tensor product = at::cumprod(1.0 - betas, 0);
    const float *values = product.data_ptr<float>();
    return std::vector<double>(values, values + config.num_train_timesteps);
}

} // namespace aianime::diffusion
