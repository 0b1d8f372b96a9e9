// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/aten.h"
#include "pipeline/latent_fusion.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;
using pipeline::FrameFlows;
using pipeline::fuse_latents;

namespace {

constexpr int64_t cells_high = 12, cells_wide = 16, scale = 8;

at::Tensor random(at::IntArrayRef shape, uint64_t seed) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat);
}

// A texture that moves by whole cells to the right from picture to picture.
std::vector<at::Tensor> moving_pictures(int64_t count, int64_t cells) {
    const at::Tensor noise = random({1, 3, cells_high * scale / 4, cells_wide * scale / 4}, 1),
                     picture = at::upsample_bicubic2d(noise, {cells_high * scale, cells_wide * scale}, false) * 0.15 + 0.5;
    std::vector<at::Tensor> pictures;
    for (int64_t i = 0; i < count; i++)
        pictures.push_back(at::roll(picture, i * cells * scale, 3).clamp(0, 1));
    return pictures;
}

bool none(int64_t) { return false; }

// Cells that lie in the picture in all frames.
at::Tensor middle(const at::Tensor &latents) { return latents.slice(-1, 5, cells_wide - 5).slice(-2, 2, cells_high - 2); }

} // namespace

// Latents that are the same thing plus chance, carried by the motion: chance goes down to what five means leave of it.
AIANIME_TEST(chance_averages_out_along_the_motion) {
    FrameFlows flows(moving_pictures(5, 1), cells_high, cells_wide);
    const at::Tensor thing = random({4, cells_high, cells_wide}, 2);
    std::vector<at::Tensor> things;
    for (int64_t i = 0; i < 5; i++)
        things.push_back(at::roll(thing, i, 2));
    const at::Tensor truth = at::stack(things), chance = random(truth.sizes(), 3) * 0.5;
    const at::Tensor fused = truth + chance + fuse_latents(truth + chance, 5, none, flows);
    const double left = middle(fused[2] - truth[2]).std().item<double>(), before = middle(chance[2]).std().item<double>();
    ck_assert_msg(left < 0.6 * before && left > 0.3 * before, "%g of %g", left, before);
}

AIANIME_TEST(fixed_frames_and_those_behind_are_left_alone) {
    FrameFlows flows(moving_pictures(4, 0), cells_high, cells_wide);
    const at::Tensor clean = random({4, 2, cells_high, cells_wide}, 4);
    const at::Tensor change = fuse_latents(
        clean, 3, [](int64_t frame) { return frame == 0; }, flows);
    ck_assert(change[0].eq(0).all().item<bool>() && change[3].eq(0).all().item<bool>());
    expect_close(change[1], clean.slice(0, 0, 3).mean(0) - clean[1], 1e-2, "three frames that stand still");
}

// Nothing in one picture is in the other.
AIANIME_TEST(what_has_no_match_stays) {
    std::vector<at::Tensor> pictures = moving_pictures(1, 0);
    pictures.push_back(random(pictures[0].sizes(), 9).mul(0.3).add(0.5).clamp(0, 1));
    FrameFlows flows(pictures, cells_high, cells_wide);
    const at::Tensor clean = random({2, 2, cells_high, cells_wide}, 4);
    const at::Tensor change = fuse_latents(clean, 2, none, flows);
    ck_assert_double_lt(change.abs().mean().item<double>(), 0.35 * (clean[1] - clean[0]).abs().mean().item<double>());
}

int main() {
    return run_suite("latent_fusion",
                     {chance_averages_out_along_the_motion, fixed_frames_and_those_behind_are_left_alone, what_has_no_match_stays});
}
