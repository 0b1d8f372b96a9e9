// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips whose frames are joined by trained attention between frames: a pack of synthetic weights, with such a module.
#include "nn/aten.h"
#include "pipeline/denoiser.h"
#include "support.h"
#include "support_networks.h"
#include "support_pack.h"
#include "support_synthetic.h"
#include "support_training.h"
#include "train/parameters.h"
#include "train/temporal.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

Settings settings_of(const GoldenPack &pack) {
    Settings settings = pack.settings();
    settings.style.seed = 11;
    settings.style.noise = NoiseMode::frame;
    settings.steps = 2;
    return settings;
}

struct Made {
    double out = 1;     // scale of what the module adds
    int64_t coarse = 4; // side of the anchors' grid
};

// Writes a module for the pack and returns its folder.
std::string write_module(const TempFolder &folder, const Made &made) {
    const nn::UNetConfig unet = nn::UNetConfig::from_json(io::Json::load(tests_folder() + "/golden/pack/unet/config.json"));
    nn::CfaConfig config = nn::CfaConfig::for_unet(unet);
    config.grid.assign(config.grid.size(), made.coarse);
    nn::CfaModule module(config, unet, "");
    train::initialise(module.module(), 5, at::kCPU,
                      [&](const std::string &name) { return name.find("to_out") == std::string::npos ? 1 : made.out; });
    const std::string path = folder.path("cfa" + std::to_string(made.out) + std::to_string(made.coarse));
    train::write_cfa(module, path);
    return path;
}

std::vector<FrameRequest> clip(int64_t frames, int64_t speed = 4) {
    const at::Tensor picture =
        nn::WeightSource::from_file(tests_folder() + "/golden/denoiser/runs.safetensors").tensor("picture", at::kFloat, at::kCPU);
    std::vector<FrameRequest> requests;
    for (int64_t i = 0; i < frames; ++i)
        requests.push_back({at::roll(picture, speed * i, 3), i * 100000, {}});
    return requests;
}

at::Tensor sample(const Settings &settings, const std::vector<FrameRequest> &frames, const std::vector<FrameRequest> &anchors) {
    const c10::InferenceMode inference;
    const Models models(settings, at::kFloat, at::kCPU);
    Watch watch(nullptr, nullptr, nullptr);
    return denoise(models, settings, encode_conditioning(models, settings, watch), frames, anchors, watch);
}

// As `settings`, with attention between frames.
Settings flowing(Settings settings, const std::string &module) {
    settings.style.attention = nn::AttentionMode::flow;
    settings.cfa = module;
    return settings;
}

// Without the frames that are anchors: in mode `flow` they are made like the others, beside the anchors.
at::Tensor between_anchors(const at::Tensor &latents) { return latents.index_select(0, at::tensor({1, 2, 4, 5, 6, 7})); }

} // namespace

AIANIME_TEST(a_picture_is_what_it_is_alone) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.attention = nn::AttentionMode::self;
    const std::vector<FrameRequest> one = clip(1);
    ck_assert(sample(flowing(settings, write_module(folder, {})), one, one).equal(sample(settings, one, one)));
    settings.guidance = 2;
    expect_close(sample(flowing(settings, write_module(folder, {})), one, {}), sample(settings, one, {}), 1e-5, "guided");
}

AIANIME_TEST(the_first_anchor_does_not_see_the_clip) {
    const TempFolder folder;
    const GoldenPack pack;
    const Settings settings = settings_of(pack);
    const std::vector<FrameRequest> frames = clip(3);
    const at::Tensor together = sample(flowing(settings, write_module(folder, {})), frames, {frames[0]});
    const at::Tensor apart = sample(settings, frames, {frames[0]});
    expect_close(together[0], apart[0], 1e-5, "first frame");
    for (int64_t i : {1, 2})
        ck_assert_double_gt(relative_error(together[i], apart[i]), 1e-2);
}

// A module that adds nothing: windows that overlap, anchors in and outside of the segment, motion beside it.
AIANIME_TEST(a_module_without_a_say_leaves_mode_anchors) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.window = 4;
    settings.style.overlap = 2;
    settings.style.attention = nn::AttentionMode::anchors;
    const std::vector<FrameRequest> shot = clip(9), frames(shot.begin() + 1, shot.end());
    const at::Tensor expected = sample(settings, frames, {shot[0], shot[4]});
    const Settings silent = flowing(settings, write_module(folder, {0, 4}));
    const at::Tensor latents = sample(silent, frames, {shot[0], shot[4]});
    expect_close(between_anchors(latents), between_anchors(expected), 1e-4, "nothing added");
    expect_close(latents.slice(0, 0, 4), expected.slice(0, 0, 4), 0.2, "anchors, which see themselves twice");
}

// The same picture again and again: nothing differs that the module could add. (Coarse means of it do, so there are none.)
AIANIME_TEST(a_clip_that_stands_still_is_its_picture) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.window = 4;
    settings.style.overlap = 2;
    settings.style.noise = NoiseMode::shared;
    settings.guidance = 2;
    const std::vector<FrameRequest> frames = clip(6, 0);
    const at::Tensor latents = sample(flowing(settings, write_module(folder, {1, 0})), frames, {frames[0], frames[3]});
    settings.style.attention = nn::AttentionMode::self;
    expect_close(latents, sample(settings, {frames[0]}, {}).expand_as(latents), 1e-3, "six times");
}

AIANIME_TEST(frames_depend_on_anchors_and_their_window_only) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = flowing(settings_of(pack), write_module(folder, {}));
    settings.style.window = 4;
    settings.style.overlap = 0;
    settings.style.shift = false;
    const std::vector<FrameRequest> shot = clip(10);
    std::vector<FrameRequest> whole(shot.begin() + 1, shot.end()), part = {shot[1]};
    part.insert(part.end(), shot.begin() + 6, shot.end());
    const at::Tensor all = sample(settings, whole, {shot[0]}), some = sample(settings, part, {shot[0]});
    expect_close(some.slice(0, 2), all.slice(0, 6), 1e-4, "the last window");
    std::vector<FrameRequest> changed = part;
    changed[4] = shot[3];
    ck_assert_double_gt(relative_error(sample(settings, changed, {shot[0]})[2], some[2]), 1e-3);
}

AIANIME_TEST(it_follows_the_flow_that_the_template_chose) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = flowing(settings_of(pack), write_module(folder, {1, 0}));
    const std::vector<FrameRequest> frames = clip(3);
    const at::Tensor dis = sample(settings, frames, {frames[0]});
    settings.flow_model = folder.path("raft.safetensors");
    settings.style.flow_updates = 1;
    write_synthetic(settings.flow_model, read_tensor_list("raft/small"));
    const at::Tensor raft = sample(settings, frames, {frames[0]});
    ck_assert(at::isfinite(raft).all().item<bool>());
    ck_assert_double_gt(relative_error(raft.slice(0, 1), dis.slice(0, 1)), 1e-3);
    expect_close(raft[0], dis[0], 1e-5, "first frame");
}

AIANIME_TEST(short_clips) {
    const TempFolder folder;
    const GoldenPack pack;
    Settings settings = flowing(settings_of(pack), write_module(folder, {}));
    settings.style.window = 1;
    settings.style.overlap = 0;
    for (int64_t frames : {2, 3}) {
        const at::Tensor latents = sample(settings, clip(frames), {});
        ck_assert_int_eq(latents.size(0), frames);
        ck_assert(at::isfinite(latents).all().item<bool>());
    }
}

// Without a module self-attention looks along the motion: where that weighs nothing it is mode `anchors`, and pictures that move
// get nearer to each other.
AIANIME_TEST(self_attention_follows_the_motion) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    settings.style.attention = nn::AttentionMode::anchors;
    const std::vector<FrameRequest> shot = clip(9), frames(shot.begin() + 1, shot.end());
    const at::Tensor expected = sample(settings, frames, {shot[0], shot[4]});
    settings.style.attention = nn::AttentionMode::flow;
    settings.style.flow_weight = 0;
    expect_close(between_anchors(sample(settings, frames, {shot[0], shot[4]})), between_anchors(expected), 1e-4, "no weight");
    settings.style.flow_weight = 8;
    const at::Tensor latents = sample(settings, frames, {shot[0], shot[4]});
    ck_assert_double_gt(relative_error(latents, expected), 1e-3);
    ck_assert(at::isfinite(latents).all().item<bool>());
}

// Noise of its own makes each frame of a still picture another; averaged in all steps they are nearly one, the shot's first frame
// being what it is alone, whatever attention does.
AIANIME_TEST(clean_latents_are_averaged_along_the_motion) {
    const GoldenPack pack;
    Settings settings = settings_of(pack);
    const std::vector<FrameRequest> frames = clip(4, 0);
    for (const nn::AttentionMode mode : {nn::AttentionMode::self, nn::AttentionMode::window, nn::AttentionMode::flow}) {
        settings.style.attention = mode;
        settings.style.latent_fusion = 0;
        const at::Tensor apart = sample(settings, frames, {frames[0]});
        settings.style.latent_fusion = 1;
        const at::Tensor together = sample(settings, frames, {frames[0]});
        const auto differ = [](const at::Tensor &x) { return (x[2] - x[1]).abs().mean().item<double>(); };
        ck_assert_msg(differ(together) < 0.6 * differ(apart), "%g of %g", differ(together), differ(apart));
        if (mode != nn::AttentionMode::window)
            expect_close(together[0], apart[0], 1e-5, "first frame");
    }
}

AIANIME_TEST(packs_with_and_without_it) {
    const TempFolder folder;
    write_tiny_shape(folder.path("tiny"));
    const std::string look = folder.path("look.json");
    const auto cfa_of = [&](const std::string &coherence) {
        write_file(look, R"({"schema": 1, "model": {"base": "tiny"}, "coherence": {)" + coherence + "}}");
        aianime_settings given{};
        given.struct_size = sizeof(given);
        given.models_path = folder.path().c_str();
        given.template_path = look.c_str();
        std::vector<std::string> overrides;
        return resolve_settings(given, overrides).cfa;
    };
    ck_assert(cfa_of(R"("attention": "flow")").empty());
    write_file(folder.path("tiny/cfa/config.json"), "{}");
    ck_assert(cfa_of(R"("attention": "flow")") == folder.path("tiny/cfa"));
    ck_assert(cfa_of(R"("attention": "flow", "cfa": false)").empty());
    ck_assert(cfa_of(R"("attention": "anchors")").empty());
}

int main() {
    return run_suite("cfa_clip",
                     {a_picture_is_what_it_is_alone, the_first_anchor_does_not_see_the_clip,
                      a_module_without_a_say_leaves_mode_anchors, a_clip_that_stands_still_is_its_picture,
                      frames_depend_on_anchors_and_their_window_only, it_follows_the_flow_that_the_template_chose, short_clips,
                      self_attention_follows_the_motion, clean_latents_are_averaged_along_the_motion, packs_with_and_without_it},
                     300);
}
