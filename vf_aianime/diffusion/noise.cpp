// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/noise.h"

#include <cmath>

#include "diffusion/philox.h"
#include "io/error.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

// Two uniform words to two independent standard normal numbers. The first uniform lies in (0, 1], so its logarithm is finite.
void box_muller(uint32_t first, uint32_t second, float *out) {
    constexpr double two_pi = 6.28318530717958647692;
    constexpr double unit = 1.0 / 4294967296.0;
    const double radius = std::sqrt(-2 * std::log((static_cast<double>(first) + 1) * unit));
    const double angle = two_pi * (static_cast<double>(second) * unit);
    out[0] = static_cast<float>(radius * std::cos(angle));
    out[1] = static_cast<float>(radius * std::sin(angle));
}

int64_t checked_count(int64_t channels, int64_t height, int64_t width) {
    constexpr int64_t most = int64_t{1} << 32;
    int64_t count = 0;
    if (channels < 1 || height < 1 || width < 1 || __builtin_mul_overflow(channels, height, &count) ||
        __builtin_mul_overflow(count, width, &count) || count > most)
        throw Error(AIANIME_OUT_OF_RANGE, "noise: a latent of " + std::to_string(channels) + "x" + std::to_string(height) + "x" +
                                              std::to_string(width) + " is not possible");
    return count;
}

} // namespace

at::Tensor counter_noise(uint64_t seed, int64_t key, uint32_t stream, int64_t channels, int64_t height, int64_t width) {
    const int64_t count = checked_count(channels, height, width);
    at::Tensor result = at::empty({channels, height, width}, at::kFloat);
    float *out = result.data_ptr<float>();
    const auto frame = static_cast<uint64_t>(key);
    const PhiloxKey philox_key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    for (int64_t begin = 0; begin < count; begin += 4) {
        const PhiloxBlock words =
            philox4x32({static_cast<uint32_t>(begin / 4), static_cast<uint32_t>(frame), static_cast<uint32_t>(frame >> 32), stream},
                       philox_key);
        float four[4];
        box_muller(words[0], words[1], four);
        box_muller(words[2], words[3], four + 2);
        for (int64_t i = 0; i < 4 && begin + i < count; ++i)
            out[begin + i] = four[i];
    }
    return result;
}

at::Tensor offset_noise(const at::Tensor &noise, double offset, uint64_t seed, int64_t key) {
    constexpr uint32_t stream = UINT32_MAX; // no step's
    return offset == 0 ? noise : noise + offset * counter_noise(seed, key, stream, noise.size(0), 1, 1);
}

} // namespace aianime::diffusion
