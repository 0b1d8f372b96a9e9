// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/timestep.h"

#include <cmath>

#include "nn/aten.h"

namespace aianime::nn {

Timesteps::Timesteps(double one) : values(at::full({1}, one, at::kFloat)) {}

at::Tensor sinusoidal_timestep(const Timesteps &timesteps, int64_t channels, bool flip_sin_to_cos, double freq_shift) {
    constexpr double max_period = 10000;
    const int64_t half = channels / 2;
    const at::Tensor exponent =
        at::arange(half, timesteps.values.options()) * (-std::log(max_period) / (static_cast<double>(half) - freq_shift));
    const at::Tensor angle = timesteps.values.unsqueeze(1) * at::exp(exponent);
    const at::Tensor sine = at::sin(angle), cosine = at::cos(angle);
    const at::Tensor both = flip_sin_to_cos ? at::cat({cosine, sine}, 1) : at::cat({sine, cosine}, 1);
    return at::constant_pad_nd(both, {0, channels % 2});
}

TimestepEmbedding::TimestepEmbedding(int64_t in, int64_t out) : linear_1(in, out), linear_2(out, out) {
    child("linear_1", linear_1);
    child("linear_2", linear_2);
}

at::Tensor TimestepEmbedding::forward(const at::Tensor &sinusoids, const at::Tensor &more) const {
    const at::Tensor x = like_weight(sinusoids, linear_1.weight);
    const at::Tensor time = linear_2.forward(at::silu(linear_1.forward(x)));
    return at::silu(more.defined() ? at::add(time, more) : time);
}

} // namespace aianime::nn
