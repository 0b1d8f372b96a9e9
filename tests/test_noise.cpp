// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cmath>

#include "diffusion/noise.h"
#include "diffusion/philox.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;
using diffusion::counter_noise;
using diffusion::PhiloxBlock;

namespace {

// About three latents of a 448x256 picture at stride 4.
at::Tensor many(uint64_t seed, int64_t key, uint32_t stream) {
    return counter_noise(seed, key, stream, 4, 64, 336).flatten().to(at::kDouble);
}

void expect_block(const PhiloxBlock &found, const PhiloxBlock &wanted) {
    for (size_t i = 0; i < 4; ++i)
        ck_assert_msg(found[i] == wanted[i], "word %zu is %08x, not %08x", i, found[i], wanted[i]);
}

double correlation(const at::Tensor &a, const at::Tensor &b) { return (a * b).mean().item<double>(); }

} // namespace

// The vectors published with the authors' Random123 library, file kat_vectors.
AIANIME_TEST(philox_known_answers) {
    expect_block(diffusion::philox4x32({0, 0, 0, 0}, {0, 0}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    const uint32_t ones = 0xffffffff;
    expect_block(diffusion::philox4x32({ones, ones, ones, ones}, {ones, ones}), {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    expect_block(diffusion::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
                 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

// One unit in the last place of float32 is allowed for another libm's logarithm and cosine.
AIANIME_TEST(agrees_with_the_python_twin) {
    const nn::WeightSource source = nn::WeightSource::from_file(tests_folder() + "/golden/noise/noise.safetensors");
    const auto check = [&](const char *name, const at::Tensor &found) {
        const at::Tensor wanted = source.tensor(name, at::kFloat, at::kCPU);
        ck_assert_msg(found.sizes() == wanted.sizes(), "%s has another shape", name);
        const double error = ((found - wanted).abs() / (wanted.abs() + 1e-3)).max().item<double>();
        ck_assert_msg(error < 2e-7, "%s is off by %g", name, error);
    };
    check("plain", counter_noise(1, 0, 0, 4, 8, 14));
    check("frame", counter_noise(0xDEADBEEF12345678, 40000000123, 3, 4, 5, 7));
    check("negative", counter_noise(UINT64_MAX, -41708, UINT32_MAX, 1, 3, 3));
}

AIANIME_TEST(is_standard_normal) {
    const at::Tensor x = many(7, 123456, 0);
    const double n = static_cast<double>(x.numel());
    const double mean = x.mean().item<double>();
    const double variance = x.square().mean().item<double>();
    const double skew = x.pow(3).mean().item<double>();
    const double kurtosis = x.pow(4).mean().item<double>();
    // Five standard errors of each.
    ck_assert_double_lt(std::abs(mean), 5 / std::sqrt(n));
    ck_assert_double_lt(std::abs(variance - 1), 5 * std::sqrt(2 / n));
    ck_assert_double_lt(std::abs(skew), 5 * std::sqrt(15 / n));
    ck_assert_double_lt(std::abs(kurtosis - 3), 5 * std::sqrt(96 / n));
    ck_assert_double_gt(x.abs().max().item<double>(), 3.5);
    ck_assert(at::isfinite(x).all().item<bool>());
}

AIANIME_TEST(seeds_keys_streams_and_neighbours_are_independent) {
    const at::Tensor base = many(7, 1000, 0);
    const double bound = 5 / std::sqrt(static_cast<double>(base.numel()));
    ck_assert_double_lt(std::abs(correlation(base, many(8, 1000, 0))), bound);
    ck_assert_double_lt(std::abs(correlation(base, many(7, 1001, 0))), bound);
    ck_assert_double_lt(std::abs(correlation(base, many(7, 1000, 1))), bound);
    ck_assert_double_lt(std::abs(correlation(base, many(7, 1000 + (int64_t{1} << 32), 0))), bound);
    ck_assert_double_lt(std::abs(correlation(base, many(7 + (uint64_t{1} << 32), 1000, 0))), bound);
    for (int64_t lag : {1, 2, 3, 4, 336})
        ck_assert_double_lt(std::abs(correlation(base.slice(0, lag), base.slice(0, 0, -lag))), bound);
}

AIANIME_TEST(is_a_function_of_its_arguments) {
    const at::Tensor first = counter_noise(3, 40000, 2, 4, 6, 10);
    counter_noise(9, 1, 1, 4, 64, 64);
    ck_assert(at::equal(first, counter_noise(3, 40000, 2, 4, 6, 10)));
    // Numbers belong to elements, not to shapes: a longer draw begins with the shorter one.
    ck_assert(at::equal(first.flatten(), counter_noise(3, 40000, 2, 4, 6, 12).flatten().slice(0, 0, 240)));
    ck_assert_int_eq(counter_noise(1, 1, 1, 1, 1, 3).numel(), 3);
}

AIANIME_TEST(impossible_sizes_are_refused) {
    expect_error([] { return counter_noise(1, 1, 1, 0, 4, 4); }, AIANIME_OUT_OF_RANGE, "0x4x4");
    expect_error([] { return counter_noise(1, 1, 1, 4, INT64_MAX, 4); }, AIANIME_OUT_OF_RANGE, "not possible");
    expect_error([] { return counter_noise(1, 1, 1, 4, 1 << 20, 1 << 20); }, AIANIME_OUT_OF_RANGE, "not possible");
}

int main() {
    return run_suite("noise", {philox_known_answers, agrees_with_the_python_twin, is_standard_normal,
                               seeds_keys_streams_and_neighbours_are_independent, is_a_function_of_its_arguments,
                               impossible_sizes_are_refused});
}
