// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/offset_noise.h"

#include "nn/aten.h"

namespace aianime::train {

namespace {

constexpr double half_sector = 30, to_radians = 3.14159265358979323846 / 180;

at::Tensor normal(at::IntArrayRef sizes, const at::Generator &generator) { return at::randn(sizes, generator, at::kFloat); }

// Two channels of offsets [n, 2] turned where hues [n] say so.
at::Tensor turned(const at::Tensor &offsets, const at::Tensor &hues, const at::Generator &generator) {
    const at::Tensor jitter = (at::rand(hues.sizes(), generator, at::kFloat) * 2 - 1) * half_sector;
    const at::Tensor angles = (hues + jitter) * to_radians;
    const at::Tensor there = offsets.norm(2, {1}, true) * at::stack({angles.cos(), angles.sin()}, 1);
    return at::where(hues.unsqueeze(1) >= 0, there, offsets);
}

} // namespace

at::Tensor offset_noise(at::IntArrayRef sizes, double offset, const at::Tensor &hues, const at::Generator &generator) {
    const at::Tensor noise = normal(sizes, generator);
    if (offset == 0)
        return noise;
    at::Tensor offsets = normal({sizes[0], sizes[1]}, generator);
    for (int64_t region = 0; hues.defined() && region < hues.size(1) && 2 * region + 2 <= sizes[1]; region++) {
        at::Tensor place = offsets.slice(1, 2 * region, 2 * region + 2);
        place.copy_(turned(place.clone(), hues.select(1, region), generator));
    }
    return noise + offset * offsets.view({sizes[0], sizes[1], 1, 1});
}

} // namespace aianime::train
