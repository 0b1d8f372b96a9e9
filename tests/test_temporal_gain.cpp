// SPDX-License-Identifier: LGPL-2.1-or-later
// The temporal part of a small pack, from clips to the folder it is kept in.
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cmath>
#include <filesystem>

#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_training.h"
#include "train/adamw.h"
#include "train/temporal_gain.h"

using namespace aianime;
using namespace aianime::train;

namespace {

// Nothing begins at zero, or nothing would reach what is trained.
void stir(nn::Module &module) {
    module.visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensor = tensor.add(at::randn(tensor.sizes(), generator_for(text_hash(name), 1, 0), at::kFloat), 0.1);
    });
}

struct Setting {
    Setting() {
        write_tiny_shape(shape.path());
        networks = std::make_unique<PackNetworks>(shape.path(), 3, at::kCPU);
        stir(networks->unet->module());
        stir(networks->control->module());
        networks->freeze();
        std::filesystem::create_directories(data.path("pictures"));
        cv::Mat picture(200, 240, CV_8UC3, cv::Scalar(200, 120, 60));
        cv::circle(picture, {110, 100}, 60, cv::Scalar(60, 90, 220), cv::FILLED);
        cv::imwrite(data.path("pictures/a.png"), picture);
        PairOptions options;
        options.pictures = data.path("pictures");
        options.kept = data.path("pairs");
        options.count = 2;
        options.scenes = 0;
        options.least = 96;
        options.most = 128;
        pairs = std::make_unique<PairSet>(options, Report{});
        clips = std::make_unique<ClipPairs>(options, *pairs, 10, Report{});
        const nn::UNetConfig &unet = networks->unet->config();
        cfa = std::make_unique<nn::CfaModule>(nn::CfaConfig::for_unet(unet), unet, "cfa");
        initialise(cfa->module(), 4, at::kCPU, cfa_gain);
    }
    ClipBatch batch() const {
        ClipBatchOptions options;
        options.side = 48;
        options.clips = 3;
        options.frames = 4;
        return clips->batch(options, 2);
    }

    TempFolder shape, data;
    std::unique_ptr<PackNetworks> networks;
    std::unique_ptr<PairSet> pairs;
    std::unique_ptr<ClipPairs> clips;
    std::unique_ptr<nn::CfaModule> cfa;
};

} // namespace

AIANIME_TEST(clips_as_the_networks_see_them) {
    const Setting setting;
    const ClipBatch clips = setting.batch();
    const TemporalBatch batch = temporal_batch(*setting.networks, clips, setting.cfa->config());
    ck_assert(batch.clean.sizes().equals({3, 4, 4, 12, 12}) && batch.other.sizes().equals(batch.clean.sizes()));
    ck_assert(batch.motion.places.valid.sizes().equals({3, 3, 5, 12, 12}));
    ck_assert_int_eq(static_cast<int>(batch.motion.anchor), 0);
    ck_assert_int_eq(static_cast<int>(batch.text.size(0)), 3);
    ck_assert_int_eq(static_cast<int>(batch.hint.size(0)), 12);
    ck_assert(!batch.clean.requires_grad() && !batch.text.requires_grad() && !batch.hint.requires_grad());
    expect_close(batch.clean[1][3], setting.networks->encode(clips.target[1].slice(0, 3, 4))[0], 1e-4, "latents");
    for (int64_t clip = 0; clip < 3; clip++)
        ck_assert_int_eq(batch.clean[clip].equal(batch.other[clip]), !clips.open[static_cast<size_t>(clip)]);
}

AIANIME_TEST(only_attention_between_frames_learns) {
    const Setting setting;
    const PackNetworks &networks = *setting.networks;
    const Diffusion diffusion(networks.scheduler);
    const TemporalBatch batch = temporal_batch(networks, setting.batch(), setting.cfa->config());
    const Parameters parameters = trainable(setting.cfa->module(), "");
    const auto loss = [&](int64_t step) {
        return temporal_loss({*networks.unet, networks.control.get(), *setting.cfa}, diffusion, batch, {},
                             generator_for(1, step % 4, 0));
    };
    AdamW adam(parameters, {});
    double first = 0, last = 0;
    for (int64_t step = 0; step < 60; step++) {
        const at::Tensor value = loss(step);
        value.backward();
        (step < 4 ? first : last) += step < 4 || step >= 56 ? value.item<double>() : 0;
        if (step == 1)
            for (const auto &[name, tensor] : parameters)
                ck_assert_msg(tensor.grad().defined(), "%s: no gradient", name.c_str());
        adam.step(5e-3, 1);
    }
    for (nn::Module *module : {&networks.unet->module(), &networks.control->module(), &networks.text->module()})
        module->visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
            ck_assert_msg(!tensor.requires_grad() && !tensor.grad().defined(), "%s is trained", name.c_str());
        });
    ck_assert_msg(last < 0.9 * first, "the loss went from %g to %g", first / 4, last / 4);
}

AIANIME_TEST(what_is_told_and_kept) {
    const Setting setting;
    const Diffusion diffusion(setting.networks->scheduler);
    const TempFolder folder;
    // Before it has learned anything, self-attention to the anchor is all that the frames share.
    const TemporalGain gain = temporal_gain(*setting.networks, *setting.cfa, diffusion, setting.batch(), 2);
    ck_assert_int_gt(static_cast<int>(gain.regions), 0);
    ck_assert_double_eq_tol(gain.alone, gain.together, 0.05 * gain.alone);
    sample_temporal(*setting.networks, *setting.cfa, diffusion, setting.batch(), 2, folder.path("sheet.png"));
    ck_assert_int_gt(cv::imread(folder.path("sheet.png")).rows, 4 * 48);

    stir(setting.cfa->module());
    write_cfa(*setting.cfa, folder.path("cfa"));
    const nn::UNetConfig &unet = setting.networks->unet->config();
    nn::CfaModule again(nn::CfaConfig::from_json(io::Json::load(folder.path("cfa/config.json"))), unet, "again");
    nn::load(again.module(), nn::WeightSource::from_folder(folder.path("cfa")), at::kFloat, at::kCPU);
    const TemporalGain before = temporal_gain(*setting.networks, *setting.cfa, diffusion, setting.batch(), 2),
                       after = temporal_gain(*setting.networks, again, diffusion, setting.batch(), 2);
    ck_assert_double_eq_tol(before.together, after.together, 0.05 + 0.05 * before.together);
    ck_assert_double_eq_tol(before.alone, gain.alone, 1e-6);
    ck_assert_double_gt(std::abs(before.together - gain.together), 0.01);
}

int main() {
    return run_suite("temporal_gain",
                     {clips_as_the_networks_see_them, only_attention_between_frames_learns, what_is_told_and_kept});
}
