// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/parts.h"

#include "support.h"

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "nn/cfa_module.h"
#include "nn/resnet.h"
#include "nn/transformer.h"
#include "support_networks.h"
#include "train/parameters.h"

using namespace aianime;

namespace {

constexpr double limit = 1e-5; // rounding of another batch size

at::Tensor random(at::IntArrayRef shape, uint64_t seed) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat);
}

at::Tensor pictures(at::IntArrayRef shape, uint64_t seed) { return random(shape, seed).contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor half(const at::Tensor &x, int64_t number) {
    return x.slice(0, number * x.size(0) / 2, (number + 1) * x.size(0) / 2).clone();
}

std::vector<int64_t> part_sizes(const at::Tensor &x, const nn::PartSizes &sizes = {}) {
    std::vector<int64_t> list;
    nn::in_parts(
        x,
        [&](const nn::Part &part) {
            list.push_back(part.x.size(0));
            return part.x;
        },
        sizes);
    return list;
}

// The batch is split, each half of it is not.
void expect_like_halves(const at::Tensor &x, const std::function<at::Tensor(const at::Tensor &x, int64_t half)> &forward) {
    ck_assert_uint_gt(part_sizes(x).size(), 1);
    ck_assert_uint_eq(part_sizes(half(x, 0)).size(), 1);
    const at::Tensor halves = at::cat({forward(half(x, 0), 0), forward(half(x, 1), 1)});
    const at::Tensor all = forward(x.clone(), -1);
    ck_assert(all.is_contiguous(x.suggest_memory_format()));
    expect_close(all, halves, limit, "parts");
}

at::Tensor rows(const at::Tensor &shared, int64_t number) { return number < 0 ? shared : half(shared, number); }

} // namespace

AIANIME_TEST(a_batch_is_split_evenly_where_it_is_worth_it) {
    const at::NoGradGuard no_gradient;
    const at::Tensor x = at::zeros({10, 4, 8});
    const int64_t picture = 4 * 8 * 4;
    const auto sizes = [&](int64_t groups, int64_t growth, int64_t pictures) {
        return part_sizes(x, {groups, growth, pictures * picture});
    };
    ck_assert(sizes(1, 1, 5) == (std::vector<int64_t>{10}));
    ck_assert(sizes(1, 1, 4) == (std::vector<int64_t>{4, 4, 2}));
    ck_assert(sizes(2, 1, 4) == (std::vector<int64_t>{3, 2, 3, 2}));
    ck_assert(sizes(2, 3, 9) == (std::vector<int64_t>{3, 2, 3, 2}));
    ck_assert(sizes(1, 100, 1) == std::vector<int64_t>(10, 1));
    ck_assert(part_sizes(x.slice(0, 0, 1), {1, 1, 1}) == (std::vector<int64_t>{1}));
    const at::AutoGradMode training(true);
    ck_assert(sizes(1, 1, 1) == (std::vector<int64_t>{10}));
}

AIANIME_TEST(results_lie_as_the_work_lays_them) {
    const at::NoGradGuard no_gradient;
    const at::Tensor x = pictures({6, 3, 4, 5}, 1), shared = random({2, 3, 1, 1}, 2), each = random({6, 3, 1, 1}, 3);
    const at::Tensor whole = x * at::repeat_interleave(shared, 3, 0) + each;
    const auto work = [&](const nn::Part &part) { return part.x * part.of(shared) + part.of(each); };
    const nn::PartSizes small = {2, 1, 2 * 3 * 4 * 5 * 4};
    const at::Tensor apart = nn::in_parts(x, work, small);
    ck_assert(apart.equal(whole) && apart.is_contiguous(at::MemoryFormat::ChannelsLast));
    const std::vector<at::Tensor> two = nn::all_in_parts(
        x,
        [&](const nn::Part &part) {
            return std::vector<at::Tensor>{work(part), nn::to_tokens(part.x)};
        },
        small);
    ck_assert(two[0].equal(whole) && two[1].equal(nn::to_tokens(x)) && two[1].is_contiguous());
    const at::Tensor own = x.clone();
    const at::Tensor over = nn::over_parts(own, work, small);
    ck_assert(over.equal(whole) && over.is_same(own));
    const nn::Part all = {x, 0, 6};
    ck_assert(all.of(shared).is_same(shared) && !all.of({}).defined());
}

AIANIME_TEST(residual_blocks) {
    const at::NoGradGuard no_gradient;
    nn::ResnetBlock block(24, 8, 6, 4, 1e-5);
    train::initialise(block, 1, at::kCPU);
    const at::Tensor x = pictures({8, 16, 192, 192}, 2), skip = pictures({8, 8, 192, 192}, 3);
    for (int64_t times : {1, 8}) {
        const at::Tensor time = random({times, 6}, 4);
        expect_like_halves(x, [&](const at::Tensor &some, int64_t number) {
            return block.forward_joined(some, rows(skip, number), times == 1 ? time : rows(time, number), 0);
        });
    }
    const at::Tensor time = random({1, 6}, 4), joined = at::cat({x, skip}, 1);
    expect_close(block.forward(joined, time), block.forward_joined(x, skip, time, 0), limit, "joined");
    // Norms that see all pictures of a clip see them all.
    const at::Tensor clips = block.forward(joined, time, 2);
    const at::AutoGradMode training(true);
    expect_close(clips, block.forward(joined, time, 2), limit, "two clips");
}

AIANIME_TEST(feed_forward_layers) {
    const at::NoGradGuard no_gradient;
    nn::FeedForward layer(32);
    train::initialise(layer, 1, at::kCPU);
    const at::Tensor x = random({4, 9000, 32}, 2);
    const nn::PartSizes sizes = {1, 4};
    ck_assert_uint_gt(part_sizes(x.flatten(0, 1), sizes).size(), 2);
    std::vector<at::Tensor> apart;
    for (const at::Tensor &tokens : x.split(3000, 1))
        apart.push_back(layer.forward(tokens));
    expect_close(layer.forward(x), at::cat(apart, 1), limit, "parts");
}

// Texts and image prompts of a branch serve its pictures, and no others; one prompt serves both.
AIANIME_TEST(transformers_of_two_branches) {
    const at::NoGradGuard no_gradient;
    constexpr int64_t frames_a_branch = 31; // parts of the whole batch would end in the middle of a branch
    for (const bool linear : {false, true}) {
        nn::Transformer transformer(32, {2, 2, 12, 4, linear});
        train::initialise(transformer, 1, at::kCPU);
        const at::Tensor x = pictures({2 * frames_a_branch, 32, 48, 48}, 2), text = random({2, 7, 12}, 3),
                         keys = random({2, 3, 32}, 4);
        expect_like_halves(x, [&](const at::Tensor &some, int64_t number) {
            nn::ImagePrompt own, both;
            own.layers = {{rows(keys, number), rows(keys, number) + 1, 0.5}, {rows(keys, number), rows(keys, number), 0}};
            both.layers = {{keys.slice(0, 0, 1), keys.slice(0, 1, 2), 0.25}, {keys.slice(0, 1, 2), keys.slice(0, 0, 1), 1}};
            const std::vector<nn::ImagePrompt> prompts = {own, both};
            nn::ImageAttention images{prompts};
            nn::FrameAttention frames;
            frames.mode = nn::AttentionMode::sparse;
            frames.branches = number < 0 ? 2 : 1;
            frames.frames = frames_a_branch;
            nn::Conditions conditions;
            conditions.text = rows(text, number);
            conditions.frames = &frames;
            conditions.images = &images;
            const at::Tensor result = transformer.forward(some, conditions);
            expect_error([&] { images.next(48, 48); }, AIANIME_INTERNAL, "cross-attention layers"); // both have been used
            return result;
        });
    }
}

AIANIME_TEST(attention_between_frames_of_two_branches) {
    const at::NoGradGuard no_gradient;
    constexpr int64_t frames = 4, side = 192;
    const nn::UNetConfig unet = nn::UNetConfig::from_json(io::Json::parse(
        R"({"block_out_channels": [16, 16], "down_block_types": ["DownBlock2D", "DownBlock2D"], "norm_num_groups": 4,
            "up_block_types": ["UpBlock2D", "UpBlock2D"], "attention_head_dim": 2, "cross_attention_dim": 8})",
        "unet"));
    nn::CfaModule cfa(nn::CfaConfig::for_unet(unet), unet, "cfa");
    train::initialise(cfa.module(), 2, at::kCPU);
    const at::Tensor x = pictures({2 * frames, 16, side, side}, 1);
    const nn::FlowField places = {random({1, frames, 2, 2, side, side}, 3), at::ones({1, frames, 2, side, side})};
    expect_like_halves(x, [&](const at::Tensor &some, int64_t number) {
        nn::CrossFrames cross = {&cfa, number < 0 ? 2 : 1, frames, {-1, 1, 0, 2, 1, 3, 2, -1}, places};
        return cfa.down(0, 0, some, cross);
    });
}

int main() {
    return run_suite("parts", {a_batch_is_split_evenly_where_it_is_worth_it, results_lie_as_the_work_lays_them, residual_blocks,
                               feed_forward_layers, transformers_of_two_branches, attention_between_frames_of_two_branches});
}
