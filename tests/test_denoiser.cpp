// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole samplings with a pack of synthetic weights against diffusers' pipelines (tests/golden/make_denoiser.py).
#include "pipeline/denoiser.h"

#include "support.h"

#include "diffusion/noise.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/settings.h"
#include "support_pack.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

constexpr uint64_t golden_seed = 11;

const nn::WeightSource &golden() {
    static const nn::WeightSource source = nn::WeightSource::from_file(tests_folder() + "/golden/denoiser/runs.safetensors");
    return source;
}

at::Tensor stored(const std::string &name) { return golden().tensor(name, at::kFloat, at::kCPU); }

double relative_error(const at::Tensor &ours, const at::Tensor &reference) {
    return ((ours - reference).abs().max() / reference.abs().max()).item<double>();
}

Settings settings_of(const GoldenPack &pack) {
    Settings settings = pack.settings();
    settings.style.seed = golden_seed;
    settings.style.noise = NoiseMode::shared;
    settings.style.attention = nn::AttentionMode::self;
    return settings;
}

at::Tensor sample(const Settings &settings, const Models &models, const std::vector<FrameRequest> &frames) {
    const c10::InferenceMode inference;
    Watch watch(nullptr, nullptr, nullptr);
    const Conditioning conditioning = encode_conditioning(models, settings, watch);
    return denoise(models, settings, conditioning, frames, {frames.front()}, watch);
}

void compare_run(const std::string &run, Settings settings) {
    const c10::InferenceMode inference;
    const Models models(settings, at::kFloat, at::kCPU);
    const at::Tensor latents = sample(settings, models, {{stored("picture"), 0, {}}});
    const double error = relative_error(latents, stored(run + ".latents"));
    ck_assert_msg(error < 1e-3, "%s: latents differ by %g", run.c_str(), error);
    const at::Tensor decoded = models.vae().decode(latents);
    const double code_values = ((decoded - stored(run + ".decoded")).abs().max() * 127.5).item<double>();
    ck_assert_msg(code_values < 1, "%s: pictures differ by %g code values", run.c_str(), code_values);
}

// The same frame several times, as a segment: what windows and anchors do must not change the picture of a clip that stands still.
double still_clip_error(nn::AttentionMode mode, int64_t frames) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.attention = mode;
    settings.style.window = 4;
    settings.style.overlap = 2;
    const Models models(settings, at::kFloat, at::kCPU);
    std::vector<FrameRequest> requests;
    for (int64_t i = 0; i < frames; ++i)
        requests.push_back({stored("picture"), i * 100000, {}});
    const at::Tensor latents = sample(settings, models, requests);
    ck_assert_int_eq(latents.size(0), frames);
    return relative_error(latents, stored("ddim.latents").expand_as(latents));
}

} // namespace

AIANIME_TEST(four_ddim_steps) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.steps = 4;
    settings.style.positive = "pop anime style";
    compare_run("ddim", settings);
}

AIANIME_TEST(guidance_in_one_batch) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.steps = 4;
    settings.guidance = 3;
    settings.style.positive = "ink manga style, a woman";
    settings.style.negative = "night anime style";
    compare_run("guided", settings);
}

AIANIME_TEST(picture_to_picture_by_strength) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.scheduler = "dpmpp_2m";
    settings.steps = 6;
    settings.guidance = 2;
    settings.strength = 0.6;
    settings.style.positive = "pastel anime style";
    settings.style.negative = "blurry";
    compare_run("image", settings);
}

AIANIME_TEST(euler_keeps_scaled_latents) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.scheduler = "euler";
    settings.steps = 4;
    settings.style.positive = "night anime style";
    compare_run("euler", settings);
}

// The frame's own noise with an offset for each channel, and nothing else, is what sampling starts from.
AIANIME_TEST(offset_noise_starts_a_frame) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.steps = 2;
    settings.style.noise = NoiseMode::frame;
    const Models models(settings, at::kFloat, at::kCPU);
    constexpr int64_t identity = 40000;
    const at::Tensor plain = sample(settings, models, {{stored("picture"), identity, {}}});
    const at::Tensor noise = diffusion::counter_noise(golden_seed, identity, 0, plain.size(1), plain.size(2), plain.size(3));
    ck_assert(relative_error(sample(settings, models, {{stored("picture"), identity, noise}}), plain) < 1e-6);
    const at::Tensor offset = diffusion::offset_noise(noise, 0.5, golden_seed, identity);
    settings.noise_offset = 0.5;
    const at::Tensor made = sample(settings, models, {{stored("picture"), identity, {}}});
    ck_assert(relative_error(made, sample(settings, models, {{stored("picture"), identity, offset}})) < 1e-6);
    ck_assert(relative_error(made, plain) > 0.01);
    // One number a channel, of its own for every frame, half as large as the noise.
    const at::Tensor added = offset - noise, first = added.slice(2, 0, 1).slice(1, 0, 1);
    ck_assert_double_lt((added - first).abs().max().item<double>(), 1e-6);
    const at::Tensor many = diffusion::counter_noise(1, 0, 0, 4096, 1, 1);
    ck_assert_double_eq_tol((diffusion::offset_noise(many, 0.5, 1, 0) - many).std().item<double>(), 0.5, 0.03);
    ck_assert(relative_error(diffusion::offset_noise(noise, 0.5, golden_seed, identity + 1) - noise, added) > 0.1);
}

// The schedule of the pack ends in pure noise, which has no finite ratio of noise to signal.
AIANIME_TEST(every_scheduler_starts_from_pure_noise) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.steps = 4;
    const auto run = [&](const char *scheduler, const char *spacing, double strength) {
        settings.scheduler = scheduler;
        settings.style.spacing = spacing;
        settings.strength = strength;
        const at::Tensor latents = sample(settings, Models(settings, at::kFloat, at::kCPU), {{stored("picture"), 0, {}}});
        ck_assert_msg(at::isfinite(latents).all().item<bool>(), "%s, %s, %g", scheduler, spacing, strength);
        ck_assert_double_lt(latents.abs().max().item<double>(), 10);
        return latents;
    };
    const at::Tensor ddim = run("ddim", "trailing", 1);
    for (const char *scheduler : {"ddpm", "dpmpp_2m", "euler", "euler_a", "lcm", "tcd"}) {
        const at::Tensor latents = run(scheduler, "trailing", 1);
        if (std::string(scheduler) == "euler") // the same steps in other terms
            ck_assert_double_lt(relative_error(latents, ddim), 1e-2);
        run(scheduler, "leading", 1);
        run(scheduler, "linspace", 1);
        run(scheduler, "trailing", 0.5);
    }
}

// Attention over copies of the same tokens gives what attention over one copy gives.
AIANIME_TEST(a_still_clip_looks_like_its_picture_in_every_mode) {
    for (nn::AttentionMode mode :
         {nn::AttentionMode::self, nn::AttentionMode::sparse, nn::AttentionMode::anchors, nn::AttentionMode::window}) {
        const double error = still_clip_error(mode, 7);
        ck_assert_msg(error < 1e-3, "mode %s: %g", to_string(mode), error);
    }
}

AIANIME_TEST(frames_of_their_own_noise_differ_and_do_not_depend_on_the_segment) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.noise = NoiseMode::frame;
    settings.steps = 2;
    const Models models(settings, at::kFloat, at::kCPU);
    const FrameRequest a{stored("picture"), 0, {}}, b{stored("picture"), 100000, {}}, c{stored("picture"), 200000, {}};
    const at::Tensor together = sample(settings, models, {a, b, c});
    const at::Tensor alone = sample(settings, models, {c});
    ck_assert_double_gt(relative_error(together[0], together[1]), 0.05);
    ck_assert_double_lt(relative_error(together[2], alone[0]), 1e-4);
}

AIANIME_TEST(a_control_acts_only_between_start_and_end) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    ck_assert_uint_eq(settings.controls.size(), 1);
    const auto run = [&](double scale, double start, double end) {
        settings.controls[0].settings.scale = scale;
        settings.controls[0].settings.start = start;
        settings.controls[0].settings.end = end;
        return sample(settings, Models(settings, at::kFloat, at::kCPU), {{stored("picture"), 0, {}}});
    };
    const at::Tensor whole = run(1, 0, 1), none = run(0, 0, 1), never = run(1, 0.9, 0.95), half = run(1, 0, 0.5);
    ck_assert_double_gt(relative_error(whole, none), 0.05);
    ck_assert_double_lt(relative_error(never, none), 1e-5);
    ck_assert_double_gt(relative_error(half, whole), 1e-3);
    ck_assert_double_gt(relative_error(half, none), 1e-3);
}

// Latents that are known come out as they are, and what is made beside them sees them at the noise of each step.
AIANIME_TEST(known_latents_are_kept) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.steps = 3;
    for (const char *name : {"ddim", "dpmpp_2m", "euler"}) {
        settings.scheduler = name;
        const Models models(settings, at::kFloat, at::kCPU);
        FrameRequest frame{stored("picture"), 0, {}};
        const at::Tensor alone = sample(settings, models, {frame})[0];
        frame.known = alone.flip(2).contiguous();
        frame.known_at = at::zeros({1, alone.size(1), alone.size(2)}, at::kBool);
        frame.known_at.slice(2, 0, alone.size(2) / 2).fill_(true);
        const at::Tensor made = sample(settings, models, {frame})[0];
        const at::Tensor apart = (made - frame.known).abs();
        ck_assert_double_lt(apart.masked_select(frame.known_at).max().item<double>(), 1e-6);
        ck_assert_double_gt((made - alone).abs().masked_select(frame.known_at.logical_not()).max().item<double>(), 1e-3);

        const auto scheduler = models.make_scheduler();
        scheduler->start(6, 0.5);
        const at::Tensor noise = diffusion::counter_noise(1, 2, 0, alone.size(0), alone.size(1), alone.size(2));
        const auto steps = static_cast<int64_t>(scheduler->timesteps().size());
        ck_assert_double_lt(relative_error(scheduler->noised(alone, noise, 0), scheduler->first_latents(alone, noise)), 1e-6);
        ck_assert(scheduler->noised(alone, noise, steps).equal(alone));
        for (int64_t i = 0; i < steps; ++i) // ever less noise
            ck_assert_double_gt((scheduler->noised(at::zeros_like(noise), noise, i)).std().item<double>(),
                                scheduler->noised(at::zeros_like(noise), noise, i + 1).std().item<double>());
    }
}

int main() {
    return run_suite("denoiser",
                     {four_ddim_steps, guidance_in_one_batch, picture_to_picture_by_strength, euler_keeps_scaled_latents,
                      offset_noise_starts_a_frame, every_scheduler_starts_from_pure_noise,
                      a_still_clip_looks_like_its_picture_in_every_mode,
                      frames_of_their_own_noise_differ_and_do_not_depend_on_the_segment, a_control_acts_only_between_start_and_end,
                      known_latents_are_kept},
                     300);
}
