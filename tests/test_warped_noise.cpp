// SPDX-License-Identifier: LGPL-2.1-or-later
// Noise carried along motion: it stays standard normal and white whatever the motion, and follows it.
#include "diffusion/warped_noise.h"

#include <cmath>
#include <numeric>

#include "diffusion/noise.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/denoiser.h"
#include "pipeline/settings.h"
#include "pipeline/shot_noise.h"
#include "support.h"
#include "support_pack.h"

using namespace aianime;
using namespace aianime::diffusion;

namespace {

constexpr uint64_t seed = 11;
constexpr int64_t channels = 4, height = 64, width = 96, k = noise_refinement;

struct Flow {
    at::Tensor vectors, valid;
};

at::Tensor grid(int64_t axis) {
    const at::Tensor line = at::arange(k * (axis == 0 ? width : height), at::kFloat);
    return axis == 0 ? line.view({1, -1}).expand({k * height, k * width}) : line.view({-1, 1}).expand({k * height, k * width});
}

// In coarse cells.
Flow translation(double x, double y) {
    const at::Tensor ones = at::ones({k * height, k * width});
    return {at::stack({ones * (k * x), ones * (k * y)}), ones};
}

// About the middle, from this frame to the first.
Flow zoom(double factor) {
    const at::Tensor x = (grid(0) - k * width / 2.) * (factor - 1), y = (grid(1) - k * height / 2.) * (factor - 1);
    return {at::stack({x, y}), at::ones_like(x)};
}

Flow random_flow() {
    const at::Tensor drawn = counter_noise(3, 1, 0, 3, k * height, k * width);
    return {drawn.slice(0, 0, 2) * 7, (drawn[2] > 0).to(at::kFloat)};
}

Flow nothing_valid() {
    Flow flow = random_flow();
    flow.valid.zero_();
    return flow;
}

at::Tensor noise_of(const Flow &flow, int64_t key = 700000, uint32_t stream = 0) {
    const at::Tensor fine = fine_noise(seed, stream, channels, k * height, k * width);
    return warped_noise(fine, noise_places(flow.vectors, flow.valid), seed, key, stream);
}

at::Tensor shared_noise(uint32_t stream = 0) { return counter_noise(seed, 0, stream, channels, height, width); }

double mean_of(const at::Tensor &x) { return x.to(at::kDouble).mean().item<double>(); }

double correlation(const at::Tensor &a, const at::Tensor &b) {
    return mean_of(a * b) / std::sqrt(mean_of(a.square()) * mean_of(b.square()));
}

void expect_white(const char *name, const at::Tensor &noise) {
    const double n = static_cast<double>(noise.numel()), mean = mean_of(noise), variance = mean_of(noise.square());
    ck_assert_msg(std::abs(mean) < 4 / std::sqrt(n), "%s: mean %g", name, mean);
    ck_assert_msg(std::abs(variance - 1) < 4 * std::sqrt(2 / n), "%s: variance %g", name, variance);
    for (int64_t axis = 1; axis <= 2; ++axis)
        for (int64_t lag = 1; lag <= 3; ++lag) {
            const int64_t rest = noise.size(axis) - lag;
            const double found = mean_of(noise.narrow(axis, 0, rest) * noise.narrow(axis, lag, rest));
            ck_assert_msg(std::abs(found) < 4 / std::sqrt(n), "%s: %g at lag %d of axis %d", name, found, static_cast<int>(lag),
                          static_cast<int>(axis));
        }
}

// With the first frame's noise, along a translation by x coarse cells; bilinear: what interpolation would make of it.
at::Tensor first_moved(double x) {
    const auto whole = static_cast<int64_t>(std::floor(x));
    const double part = x - static_cast<double>(whole);
    const at::Tensor first = shared_noise();
    const int64_t rest = width - whole - 1;
    return first.narrow(2, whole, rest) * (1 - part) + first.narrow(2, whole + 1, rest) * part;
}

// A golden pack's picture, moved to the left by whole latent cells and more.
pipeline::FrameRequest moving(int64_t pixels) {
    static const at::Tensor picture =
        nn::WeightSource::from_file(tests_folder() + "/golden/denoiser/runs.safetensors").tensor("picture", at::kFloat, at::kCPU);
    return {at::roll(picture, {-pixels}, {3}), pixels * 100000, {}};
}

std::vector<pipeline::FrameRequest> requests_of(const std::vector<int64_t> &frames) {
    std::vector<pipeline::FrameRequest> requests;
    for (int64_t frame : frames)
        requests.push_back(moving(frame));
    return requests;
}

// The noise of frames of a shot that begins with frame 0, as a segment of just them has it.
std::vector<at::Tensor> segment_noise(const std::vector<int64_t> &frames, uint32_t stream) {
    pipeline::Watch watch(nullptr, nullptr, nullptr);
    const std::vector<at::Tensor> places = pipeline::places_in_first_frame(moving(0), requests_of(frames), 8, {}, watch);
    std::vector<at::Tensor> all;
    for (size_t i = 0; i < frames.size(); i++)
        all.push_back(warped_noise(fine_noise(seed, stream, channels, places[i].size(0), places[i].size(1)), places[i], seed,
                                   moving(frames[i]).identity, stream));
    return all;
}

at::Tensor sample(const pipeline::Models &models, const pipeline::Settings &settings, const std::vector<int64_t> &frames) {
    pipeline::Watch watch(nullptr, nullptr, nullptr);
    return denoise(models, settings, encode_conditioning(models, settings, watch), requests_of(frames), {moving(0)}, watch);
}

double difference(const at::Tensor &a, const at::Tensor &b) { return ((a - b).abs().max() / a.abs().max()).item<double>(); }

} // namespace

AIANIME_TEST(standard_normal_and_white_under_any_motion) {
    expect_white("identity", noise_of(translation(0, 0)));
    expect_white("integer", noise_of(translation(3, -2)));
    expect_white("fraction", noise_of(translation(1.4, 0.6)));
    expect_white("zoom in", noise_of(zoom(0.5)));
    expect_white("zoom out", noise_of(zoom(2)));
    expect_white("random", noise_of(random_flow()));
    expect_white("nothing", noise_of(nothing_valid()));
    expect_white("a step's", noise_of(zoom(0.5), 700000, 3));
}

AIANIME_TEST(fine_cells_are_white_and_add_up) {
    const at::Tensor fine = fine_noise(seed, 0, channels, k * height, k * width);
    expect_white("fine", fine);
    for (uint32_t stream : {0u, 5u}) {
        const double error = (noise_of(translation(0, 0), 700000, stream) - shared_noise(stream)).abs().max().item<double>();
        ck_assert_msg(error < 1e-6, "stream %u: %g from the shared noise", stream, error);
    }
}

AIANIME_TEST(follows_a_translation) {
    const auto along = [](double x) {
        const at::Tensor there = first_moved(x);
        return correlation(noise_of(translation(x, 0)).narrow(2, 0, there.size(2)), there);
    };
    ck_assert_double_gt(along(3), 0.999);
    ck_assert_double_gt(along(1.5), 0.68); // half of either neighbour: 1 / sqrt(2) is the most
    const double kept = mean_of(first_moved(1.5).square());
    ck_assert_msg(kept < 0.55, "interpolation keeps %g of the variance", kept);
}

AIANIME_TEST(no_cell_is_taken_twice) {
    const Flow flow = random_flow();
    const at::Tensor places = noise_places(flow.vectors, flow.valid).flatten(), used = places.masked_select(places >= 0);
    ck_assert_int_eq(at::bincount(used).max().item<int64_t>(), 1);
    ck_assert_int_lt(used.numel(), places.numel());
}

AIANIME_TEST(where_nothing_is_known_noise_stays_on_the_screen) {
    ck_assert_double_lt((noise_of(nothing_valid()) - shared_noise()).abs().max().item<double>(), 1e-6);
    Flow lost = translation(0, 0);
    lost.vectors.fill_(NAN);
    ck_assert(noise_places(lost.vectors, lost.valid).eq(-1).all().item<bool>());
    expect_white("not a number", noise_of(lost));
}

AIANIME_TEST(same_numbers_every_time_and_own_ones_by_the_key) {
    ck_assert(noise_of(zoom(0.5)).equal(noise_of(zoom(0.5))));
    ck_assert(!noise_of(zoom(0.5)).equal(noise_of(zoom(0.5), 800000)));
    const double other = correlation(noise_of(zoom(0.5), 700000, 1), noise_of(zoom(0.5), 700000, 2));
    ck_assert_double_lt(std::abs(other), 4 / std::sqrt(static_cast<double>(channels * height * width)));
}

// Bit for bit, in whatever company a frame is: alone, in another order, more frames than flows keep in mind.
AIANIME_TEST(a_frame_has_the_same_noise_in_every_segment) {
    std::vector<int64_t> shot(24);
    std::iota(shot.begin(), shot.end(), 0);
    for (uint32_t stream : {0u, 2u}) {
        const std::vector<at::Tensor> whole = segment_noise(shot, stream);
        for (const std::vector<int64_t> &share : std::vector<std::vector<int64_t>>{{0, 1, 2}, {7}, {9, 5, 0}, {20, 21, 22, 23}}) {
            const std::vector<at::Tensor> part = segment_noise(share, stream);
            for (size_t i = 0; i < share.size(); i++)
                ck_assert_msg(part[i].equal(whole[static_cast<size_t>(share[i])]), "stream %u, frame %d", stream,
                              static_cast<int>(share[i]));
        }
        ck_assert(!whole[3].equal(whole[0]) && !whole[22].equal(whole[23]));
    }
}

// A scheduler that draws noise at every step, and each frame for itself: what differs between segments is noise, or
// the rounding of another batch (6e-5 at the first frame, whose noise is the same by construction).
AIANIME_TEST(a_shot_may_be_cut_into_segments_anywhere) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    pipeline::Settings settings = pack.settings();
    settings.style.attention = nn::AttentionMode::self;
    settings.style.noise = pipeline::NoiseMode::warped;
    settings.scheduler = "euler_a";
    settings.steps = 2;
    const pipeline::Models models(settings, at::kFloat, at::kCPU);
    const at::Tensor whole = sample(models, settings, {0, 3, 6, 9});
    ck_assert_double_lt(difference(whole.slice(0, 0, 1), sample(models, settings, {0})), 1e-3);
    ck_assert_double_lt(difference(whole.slice(0, 1, 3), sample(models, settings, {3, 6})), 1e-3);
    ck_assert_double_lt(difference(whole.slice(0, 3, 4), sample(models, settings, {9})), 1e-3);
    settings.style.noise = pipeline::NoiseMode::shared;
    const at::Tensor shared = sample(models, settings, {0, 3});
    ck_assert_double_lt(difference(whole.slice(0, 0, 1), shared.slice(0, 0, 1)), 1e-3);
    ck_assert_double_gt(difference(whole.slice(0, 1, 2), shared.slice(0, 1, 2)), 1e-2);
}

int main() {
    return run_suite("warped_noise",
                     {standard_normal_and_white_under_any_motion, fine_cells_are_white_and_add_up, follows_a_translation,
                      no_cell_is_taken_twice, where_nothing_is_known_noise_stays_on_the_screen,
                      same_numbers_every_time_and_own_ones_by_the_key, a_frame_has_the_same_noise_in_every_segment,
                      a_shot_may_be_cut_into_segments_anywhere},
                     60);
}
