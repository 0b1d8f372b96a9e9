// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/warped_noise.h"

#include <cmath>
#include <vector>

#include "diffusion/noise.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

// Streams of their own: those of the steps are small, that of the offset is the largest.
constexpr uint32_t detail_stream = 0x80000000, own_stream = 0x40000000;

// Sums over blocks of noise_refinement x noise_refinement cells, float64.
at::Tensor block_sums(const at::Tensor &fine) {
    constexpr int64_t k = noise_refinement;
    return fine.to(at::kDouble).unflatten(1, {fine.size(1) / k, k}).unflatten(3, {fine.size(2) / k, k}).sum({2, 4});
}

at::Tensor spread(const at::Tensor &coarse) {
    return coarse.repeat_interleave(noise_refinement, 1).repeat_interleave(noise_refinement, 2);
}

// The cell nearest to a place, -1 outside.
int64_t cell_at(float x, float y, int64_t height, int64_t width) {
    const float column = std::floor(x + 0.5f), row = std::floor(y + 0.5f);
    if (!(column >= 0 && row >= 0 && column < static_cast<float>(width) && row < static_cast<float>(height)))
        return -1;
    return static_cast<int64_t>(row) * width + static_cast<int64_t>(column);
}

} // namespace

at::Tensor noise_places(const at::Tensor &flow, const at::Tensor &valid) {
    const int64_t height = flow.size(1), width = flow.size(2), cells = height * width;
    const at::Tensor vectors = flow.to(at::kFloat).contiguous(), trust = valid.to(at::kFloat).contiguous();
    const float *x = vectors.const_data_ptr<float>(), *y = x + cells, *trusted = trust.const_data_ptr<float>();
    at::Tensor places = at::full({height, width}, -1, at::kLong);
    int64_t *out = places.data_ptr<int64_t>();
    std::vector<bool> taken(static_cast<size_t>(cells));
    const auto take = [&](int64_t cell, int64_t from) {
        if (from < 0 || taken[static_cast<size_t>(from)])
            return;
        taken[static_cast<size_t>(from)] = true;
        out[cell] = from;
    };
    for (int64_t i = 0; i < cells; ++i)
        if (trusted[i] > 0.5f)
            take(i, cell_at(static_cast<float>(i % width) + x[i], static_cast<float>(i / width) + y[i], height, width));
    for (int64_t i = 0; i < cells; ++i)
        if (!(trusted[i] > 0.5f))
            take(i, i);
    return places;
}

at::Tensor fine_noise(uint64_t seed, uint32_t stream, int64_t channels, int64_t height, int64_t width) {
    constexpr int64_t k = noise_refinement;
    const at::Tensor coarse = counter_noise(seed, 0, stream, channels, height / k, width / k).to(at::kDouble);
    const at::Tensor detail = counter_noise(seed, 0, stream | detail_stream, channels, height, width).to(at::kDouble);
    return (detail + spread(coarse / k - block_sums(detail) / (k * k))).to(at::kFloat);
}

at::Tensor warped_noise(const at::Tensor &fine, const at::Tensor &places, uint64_t seed, int64_t key, uint32_t stream) {
    const at::Tensor from = places.flatten();
    at::Tensor carried = fine.flatten(1).index_select(1, from.clamp_min(0)).view_as(fine);
    if ((from < 0).any().item<bool>()) {
        const at::Tensor own = counter_noise(seed, key, stream | own_stream, fine.size(0), fine.size(1), fine.size(2));
        carried = at::where(places < 0, own, carried);
    }
    return (block_sums(carried) / noise_refinement).to(at::kFloat);
}

} // namespace aianime::diffusion
