// SPDX-License-Identifier: LGPL-2.1-or-later
// Attention between frames learns, on a toy whose colours nothing but the noise determines, to take them from the anchor.
#include "train/temporal.h"

#include <ATen/Parallel.h>

#include <cstdio>
#include <numeric>

#include <ATen/Parallel.h>

#include "nn/aten.h"
#include "support.h"
#include "support_networks.h"
#include "train/adamw.h"
#include "train/parameters.h"
#include "train/random.h"

using namespace aianime;
using namespace aianime::train;

namespace {

constexpr int64_t side = 8, clips = 6, frames = 4, channels = 3;

nn::UNetConfig toy_config() {
    return nn::UNetConfig::from_json(io::Json::parse(R"({"in_channels": 3, "out_channels": 3, "block_out_channels": [16, 24],
        "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 2, "cross_attention_dim": 8,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"]})",
                                                     "unet"));
}

diffusion::SchedulerConfig schedule() {
    return diffusion::SchedulerConfig::from_json(
        io::Json::parse(R"({"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "prediction_type": "v_prediction", "timestep_spacing": "trailing", "clip_sample": false,
        "set_alpha_to_one": true})",
                        "scheduler"));
}

// A disc of some colour on a ground that is always the same, [n, channels, side, side].
at::Tensor discs(const at::Tensor &colors) {
    const at::Tensor at = at::arange(side, at::kFloat) - 3.5;
    const at::Tensor disc = ((at.view({-1, 1}).square() + at.view({1, -1}).square()) < 9).to(at::kFloat);
    return colors.reshape({-1, channels, 1, 1}) * disc + 0.3 * (1 - disc);
}

at::Tensor random_colors(int64_t n, const at::Generator &generator) {
    return at::randint(0, 2, {n, channels}, generator, at::kFloat) * 2 - 1;
}

struct Toy {
    Toy() : unet(toy_config()), cfa(nn::CfaConfig::for_unet(unet.config()), unet.config(), "toy"), diffusion(schedule()) {
        initialise(unet.module(), 1, at::kCPU);
        initialise(cfa.module(), 2, at::kCPU, cfa_gain);
    }
    TemporalNetworks networks() const { return {unet, nullptr, cfa}; }

    nn::UNet unet;
    nn::CfaModule cfa;
    Diffusion diffusion;
    const at::Tensor text = at::zeros({1, 2, 8});
};

void learn(const Parameters &parameters, int64_t steps, double rate, const std::function<at::Tensor(int64_t)> &loss,
           std::vector<double> &losses) {
    AdamW adam(parameters, {});
    for (int64_t i = 0; i < steps; i++) {
        const at::Tensor now = loss(i);
        now.backward();
        losses.push_back(now.item<double>());
        adam.step(rate, 1);
    }
}

// The base: one frame at a time, each in its own colour.
void train_base(const Toy &toy, int64_t steps) {
    const Parameters parameters = trainable(const_cast<nn::UNet &>(toy.unet).module(), "");
    std::vector<double> losses;
    learn(
        parameters, steps, 3e-3,
        [&](int64_t i) {
            const at::Generator generator = generator_for(3, i, 0);
            const at::Tensor clean = discs(random_colors(16, generator)), noise = at::randn(clean.sizes(), generator, at::kFloat);
            const at::Tensor t = at::randint(0, toy.diffusion.size(), {16}, generator, at::kLong);
            const at::Tensor s = toy.diffusion.signal(t), n = toy.diffusion.noise(t);
            const at::Tensor v = toy.unet.forward(s * clean + n * noise, t.to(at::kFloat), toy.text, nullptr, nullptr);
            return (v - (s * noise - n * clean)).square().mean();
        },
        losses);
    trainable(const_cast<nn::UNet &>(toy.unet).module(), "", [](const std::string &) { return false; });
    const_cast<nn::UNet &>(toy.unet).module().call_loaded();
}

// Discs that stay where they are. In every other clip the flow is lost, so that nothing is aligned.
TemporalBatch clip_batch(const Toy &toy, const at::Generator &generator) {
    TemporalBatch batch;
    const at::Tensor shared = random_colors(clips, generator).unsqueeze(1).expand({-1, frames, -1});
    batch.clean = discs(shared).reshape({clips, frames, channels, side, side});
    batch.other = discs(random_colors(clips * frames, generator)).reshape(batch.clean.sizes());
    batch.text = toy.text.expand({clips, -1, -1});
    batch.motion.neighbours = {-1, -1, 1, 2, -1, 0, 2, -1, 0, 1, -1, -1};
    const at::Tensor lost = (at::arange(clips) % 2).to(at::kFloat).view({-1, 1, 1, 1, 1});
    batch.motion.places = {at::zeros({clips, frames - 1, 5, 2, side, side}),
                           (1 - lost).expand({clips, frames - 1, 5, side, side}).contiguous()};
    return batch;
}

struct Spread {
    double aligned, lost; // of the discs' colours between the frames of a clip, with the flow and without
};

Spread color_spread(const at::Tensor &latents) {
    const at::Tensor colors = latents.slice(3, 3, 5).slice(4, 3, 5).mean({3, 4});
    const at::Tensor spread = colors.std({1}, false).mean(1);
    return {spread.slice(0, 0, clips, 2).mean().item<double>(), spread.slice(0, 1, clips, 2).mean().item<double>()};
}

double mean(const std::vector<double> &values, size_t begin, size_t end) {
    return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(begin), values.begin() + static_cast<std::ptrdiff_t>(end),
                           0.0) /
           static_cast<double>(end - begin);
}

} // namespace

AIANIME_TEST(colours_are_taken_from_the_anchor) {
    at::set_num_threads(1);
    Toy toy;
    train_base(toy, 250);
    const Parameters parameters = trainable(toy.cfa.module(), "cfa.");
    std::vector<double> losses;
    const size_t steps = 160;
    learn(
        parameters, steps, 4e-3,
        [&](int64_t i) {
            const at::Generator generator = generator_for(4, i, 0);
            return temporal_loss(toy.networks(), toy.diffusion, clip_batch(toy, generator), {}, generator);
        },
        losses);
    const double before = mean(losses, 0, 20), after = mean(losses, steps - 20, steps);
    const at::Generator generator = generator_for(5, 0, 0);
    const TemporalBatch batch = clip_batch(toy, generator);
    const at::Tensor noise = at::randn(batch.clean.sizes(), generator, at::kFloat);
    const at::Tensor apart = sample_clips(toy.networks(), toy.diffusion, batch, noise, 4, false);
    const at::Tensor together = sample_clips(toy.networks(), toy.diffusion, batch, noise, 4);
    const Spread alone = color_spread(apart), joined = color_spread(together);
    printf("loss %.3f, then %.3f; spread of colours %.3f, then %.3f along the flow and %.3f without\n", before, after,
           (alone.aligned + alone.lost) / 2, joined.aligned, joined.lost);
    ck_assert_double_lt(after, 0.8 * before);
    ck_assert_double_gt(alone.aligned, 0.3);
    ck_assert_double_lt(joined.aligned, 0.3 * alone.aligned);
    ck_assert_double_lt(joined.lost, 0.45 * alone.lost);
    expect_close(together.select(1, 0), apart.select(1, 0), 1e-4, "the anchor is as it would be alone");
}

AIANIME_TEST(it_begins_as_the_base) {
    Toy toy;
    const TemporalBatch batch = clip_batch(toy, generator_for(5, 0, 0));
    const at::Tensor noise = at::randn(batch.clean.sizes(), generator_for(6, 0, 0), at::kFloat);
    nn::UNet &unet = toy.unet;
    unet.module().visit(
        [](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &) { tensor.requires_grad_(false); });
    const at::Tensor loss = temporal_loss(toy.networks(), toy.diffusion, batch, {}, generator_for(7, 0, 0));
    ck_assert(!loss.requires_grad());
    ck_assert(loss.equal(temporal_loss(toy.networks(), toy.diffusion, batch, {}, generator_for(7, 0, 0))));
    ck_assert(!loss.equal(temporal_loss(toy.networks(), toy.diffusion, batch, {}, generator_for(8, 0, 0))));
}

AIANIME_TEST(motion_of_a_clip) {
    const int64_t size = 64;
    const at::Tensor noise = at::rand({1, 3, size / 8, size / 8}, at::detail::createCPUGenerator(9), at::kFloat);
    const at::Tensor picture = at::upsample_bicubic2d(noise, {size, size}, false).clamp(0, 1)[0];
    std::vector<at::Tensor> pictures;
    for (int64_t i = 0; i < 3; i++)
        pictures.push_back(at::roll(picture, {4 * i}, {2}));
    const nn::CfaConfig config = Toy().cfa.config();
    const ClipMotion motion = clip_motion(at::stack(pictures).unsqueeze(0), 1, config, size / 4, size / 4);
    ck_assert(motion.neighbours == (std::vector<int64_t>{-1, -1, -1, 1, 0, -1, -1, -1}));
    const at::Tensor inner = motion.places.flow.slice(4, 4, 12).slice(5, 5, 11),
                     valid = motion.places.valid.slice(3, 4, 12).slice(4, 5, 11);
    ck_assert_int_eq(motion.places.flow.size(2), 5);
    // Frame 0 looks at frame 2, two cells to the right, and at the anchor, one; frame 2 back.
    const auto flow = [&](int64_t frame, int64_t slot) { return inner[0][frame][slot][0].mean().item<double>(); };
    ck_assert_double_eq_tol(flow(0, 3), 2, 0.2);
    ck_assert_double_eq_tol(flow(0, 4), 1, 0.1);
    ck_assert_double_eq_tol(flow(1, 0), -2, 0.2);
    ck_assert_double_eq_tol(flow(1, 4), -1, 0.1);
    ck_assert_double_gt(valid[0][0][3].mean().item<double>(), 0.9);
    ck_assert_double_eq(motion.places.valid[0][0][0].abs().max().item<double>(), 0);
}

int main() {
    return run_suite("train_temporal", {colours_are_taken_from_the_anchor, it_begins_as_the_base, motion_of_a_clip}, 300);
}
