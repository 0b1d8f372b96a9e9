// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole samplings with a motion module: a pack of synthetic weights against diffusers' AnimateDiff pipeline
// (tests/golden/make_motion.py), and what windows and anchors do around it.
#include "nn/aten.h"
#include "nn/motion_module.h"
#include "pipeline/denoiser.h"
#include "support.h"
#include "support_networks.h"
#include "support_pack.h"
#include "support_synthetic.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

at::Tensor stored(const std::string &file, const std::string &name) {
    return nn::WeightSource::from_file(tests_folder() + "/golden/" + file).tensor(name, at::kFloat, at::kCPU);
}

Settings settings_of(const GoldenPack &pack) {
    Settings settings = pack.settings();
    settings.style.seed = 11;
    settings.style.noise = NoiseMode::frame;
    settings.steps = 2;
    return settings;
}

// A motion module for the pack; values are functions of the names, as in make_motion.py. `still`: one that changes nothing, as
// before training.
std::string write_motion_module(const TempFolder &folder, bool still) {
    nn::MotionConfig config;
    config.positions = 32;
    config.stored_positions = false;
    const nn::UNetConfig unet = nn::UNetConfig::from_json(io::Json::load(tests_folder() + "/golden/pack/unet/config.json"));
    const size_t levels = unet.block_out_channels.size();
    const auto add = [&](const std::string &block, size_t level, int64_t layers) {
        for (int64_t i = 0; i < layers; ++i)
            config.layers[block + ".motion_modules." + std::to_string(i)] = {unet.block_out_channels[level], 8, 1};
    };
    for (size_t i = 0; i < levels; ++i) {
        add("down_blocks." + std::to_string(i), i, unet.layers_per_block[i]);
        add("up_blocks." + std::to_string(i), levels - 1 - i, unet.layers_per_block[levels - 1 - i] + 1);
    }
    add("mid_block", levels - 1, 1);
    std::vector<ListedTensor> tensors;
    nn::MotionModule(config, unet, nn::MotionNorms::trained, "")
        .module()
        .visit([&](const std::string &name, at::Tensor &, const std::vector<int64_t> &shape) {
            tensors.push_back({name, "BF16", shape, name});
        });
    const std::string path = folder.path("motion.safetensors");
    (still ? write_hollow : write_synthetic)(path, tensors);
    return path;
}

std::vector<FrameRequest> clip(int64_t frames) {
    const at::Tensor picture = stored("denoiser/runs.safetensors", "picture");
    std::vector<FrameRequest> requests;
    for (int64_t i = 0; i < frames; ++i)
        requests.push_back({at::roll(picture, 4 * i, 3), i * 100000, {}});
    return requests;
}

at::Tensor sample(const Settings &settings, const std::vector<FrameRequest> &frames, const std::vector<FrameRequest> &anchors) {
    const c10::InferenceMode inference;
    const Models models(settings, at::kFloat, at::kCPU);
    Watch watch(nullptr, nullptr, nullptr);
    return denoise(models, settings, encode_conditioning(models, settings, watch), frames, anchors, watch);
}

} // namespace

AIANIME_TEST(a_clip_as_diffusers_makes_it) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.attention = nn::AttentionMode::self;
    settings.style.positive = "pop anime style";
    settings.style.negative = "night anime style";
    settings.steps = 4;
    settings.guidance = 3;
    const at::Tensor expected = stored("motion/io.safetensors", "clip.latents");
    const std::vector<FrameRequest> frames = clip(5);
    const double alone = relative_error(sample(settings, frames, {}), expected);
    settings.motion = write_motion_module(folder, false);
    settings.motion_norms = nn::MotionNorms::diffusers;
    expect_close(sample(settings, frames, {}), expected, 1e-3, "five frames that move together");
    ck_assert_double_gt(alone, 0.05);
}

// A module that changes nothing must not change anything: not in windows that overlap, and not with anchors, in or outside of the
// segment, that are stills beside it.
AIANIME_TEST(every_attention_mode_goes_through_windows) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.window = 4;
    settings.style.overlap = 2;
    settings.style.beta_schedule = "scaled_linear";
    settings.style.shift = false; // eight frames are three full windows then, with a module and without
    const std::vector<FrameRequest> shot = clip(9), frames(shot.begin() + 1, shot.end());
    const std::string still = write_motion_module(folder, true);
    for (nn::AttentionMode mode :
         {nn::AttentionMode::self, nn::AttentionMode::sparse, nn::AttentionMode::anchors, nn::AttentionMode::window}) {
        settings.style.attention = mode;
        settings.motion = "";
        const at::Tensor alone = sample(settings, frames, {shot[0], shot[4]});
        settings.motion = still;
        const at::Tensor together = sample(settings, frames, {shot[0], shot[4]});
        if (mode != nn::AttentionMode::anchors) {
            expect_close(together, alone, 1e-4, to_string(mode));
            continue;
        }
        // The segment's own anchors, its first frame and its fourth, see fewer frames where no module needs them in windows.
        for (int64_t frame : {1, 2, 4, 5, 6})
            expect_close(together[frame], alone[frame], 1e-4, "anchors, frame " + std::to_string(frame));
    }
}

AIANIME_TEST(frames_depend_on_their_window_only) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.window = 4;
    settings.style.overlap = 0;
    settings.style.shift = false; // borders where they are
    settings.motion = write_motion_module(folder, false);
    const std::vector<FrameRequest> shot = clip(8), tail(shot.begin() + 4, shot.end());
    for (nn::AttentionMode mode : {nn::AttentionMode::self, nn::AttentionMode::window}) {
        settings.style.attention = mode;
        const at::Tensor both = sample(settings, shot, {});
        expect_close(both.slice(0, 4), sample(settings, tail, {}), 1e-4, to_string(mode));
        std::vector<FrameRequest> swapped = tail;
        std::swap(swapped[1], swapped[2]);
        const at::Tensor other = sample(settings, swapped, {});
        ck_assert_double_gt(relative_error(other[1], both[6]), 1e-2);
    }
}

AIANIME_TEST(windows_that_are_too_long) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.motion = write_motion_module(folder, true);
    settings.style.window = 65;
    expect_error([&] { Models(settings, at::kFloat, at::kCPU); }, AIANIME_OUT_OF_RANGE,
                 "motion.safetensors: AnimateLCM can move 64");
}

int main() {
    return run_suite("motion_clip",
                     {a_clip_as_diffusers_makes_it, every_attention_mode_goes_through_windows, frames_depend_on_their_window_only,
                      windows_that_are_too_long},
                     300);
}
