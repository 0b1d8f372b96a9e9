// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <sys/resource.h>

#include <cmath>

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "nn/cross_frames.h"
#include "nn/flow_attention.h"
#include "nn/frame_attention.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

constexpr int64_t heads = 2, channels = 8, height = 5, width = 6, tokens = height * width;

at::Tensor random_tokens(uint64_t seed, int64_t n, int64_t count = tokens) {
    return at::randn({n, count, channels}, at::detail::createCPUGenerator(seed), at::kFloat) * 1.5;
}

nn::FlowField random_field(uint64_t seed, int64_t n) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    nn::FlowField field{at::randn({n, 2, height, width}, generator, at::kFloat) * 1.3,
                        at::rand({n, height, width}, generator, at::kFloat)};
    field.valid.mul_(field.valid > 0.3);
    return field;
}

float at_cell(const at::Tensor &of_tokens, int64_t y, int64_t x, int64_t channel) {
    y = std::clamp<int64_t>(y, 0, height - 1);
    x = std::clamp<int64_t>(x, 0, width - 1);
    return of_tokens[y * width + x][channel].item<float>();
}

// Token at a place between cells, as float [channels].
at::Tensor token_at(const at::Tensor &of_tokens, double y, double x) {
    const double top = std::floor(y), left = std::floor(x), down = y - top, right = x - left;
    const auto row = static_cast<int64_t>(top), column = static_cast<int64_t>(left);
    at::Tensor token = at::zeros({channels});
    for (int64_t c = 0; c < channels; c++) {
        const double upper = at_cell(of_tokens, row, column, c) * (1 - right) + at_cell(of_tokens, row, column + 1, c) * right,
                     lower =
                         at_cell(of_tokens, row + 1, column, c) * (1 - right) + at_cell(of_tokens, row + 1, column + 1, c) * right;
        token[c] = upper * (1 - down) + lower * down;
    }
    return token;
}

// The definition, one query and one head at a time, in double.
at::Tensor slow_flow_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const nn::AlignedTokens &aligned) {
    const int64_t d = channels / heads;
    at::Tensor out = at::zeros_like(q);
    for (int64_t i = 0; i < q.size(0); i++)
        for (int64_t t = 0; t < tokens; t++) {
            std::vector<at::Tensor> keys = {k[i]}, values = {v[i]};
            std::vector<double> bias(static_cast<size_t>(k.size(1)), 0.0);
            for (size_t slot = 0; slot < aligned.slots.size(); slot++) {
                const nn::FlowField &places = aligned.slots[slot].places;
                const int64_t y = t / width, x = t % width;
                const double to_x = static_cast<double>(x) + places.flow[i][0][y][x].item<double>(),
                             to_y = static_cast<double>(y) + places.flow[i][1][y][x].item<double>();
                keys.push_back(token_at(aligned.slots[slot].keys[static_cast<size_t>(i)], to_y, to_x).unsqueeze(0));
                values.push_back(token_at(aligned.slots[slot].values[static_cast<size_t>(i)], to_y, to_x).unsqueeze(0));
                const double share = aligned.weight * static_cast<double>(k.size(1)) / static_cast<double>(aligned.slots.size());
                bias.push_back(std::log(share * places.valid[i][y][x].item<double>()));
            }
            const at::Tensor all_keys = at::cat(keys).to(at::kDouble), all_values = at::cat(values).to(at::kDouble);
            for (int64_t h = 0; h < heads; h++) {
                const auto part = [&](const at::Tensor &x) { return x.slice(-1, h * d, (h + 1) * d); };
                const at::Tensor logits = at::matmul(part(all_keys), part(q[i][t]).to(at::kDouble)) / std::sqrt(double(d)) +
                                          at::tensor(bias, at::kDouble);
                out[i][t].slice(0, h * d, (h + 1) * d).copy_(at::matmul(at::softmax(logits, 0), part(all_values)));
            }
        }
    return out;
}

nn::AlignedTokens two_slots(int64_t n, double weight) {
    return {height,
            width,
            {{random_tokens(11, n).unbind(), random_tokens(13, n).unbind(), random_field(15, n)},
             {random_tokens(12, n).unbind(), random_tokens(14, n).unbind(), random_field(16, n)}},
            weight};
}

long peak_kilobytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

} // namespace

AIANIME_TEST(as_defined) {
    const at::NoGradGuard no_gradient;
    const at::Tensor q = random_tokens(1, 2), k = random_tokens(2, 2, 47), v = random_tokens(3, 2, 47);
    for (const double weight : {0.02, 1.0, 8.0}) {
        const nn::AlignedTokens aligned = two_slots(2, weight);
        expect_close(nn::flow_attention(q, k, v, heads, aligned), slow_flow_attention(q, k, v, aligned), 1e-4, "flow attention");
    }
}

// Where gradients are recorded, or on another device, it is written out in parts.
AIANIME_TEST(both_ways_agree) {
    const at::Tensor q = random_tokens(1, 2, 700), k = random_tokens(2, 2, 300), v = random_tokens(3, 2, 300);
    const at::Tensor in_parts = nn::flow_attention(q, k, v, heads, {});
    const at::Tensor few = random_tokens(4, 2), aligned = nn::flow_attention(few, k, v, heads, two_slots(2, 0.5));
    const at::NoGradGuard no_gradient;
    expect_close(in_parts, nn::flow_attention(q, k, v, heads, {}), 1e-5, "in parts");
    expect_close(aligned, nn::flow_attention(few, k, v, heads, two_slots(2, 0.5)), 1e-5, "along the flow");
}

AIANIME_TEST(in_bfloat16) {
    const at::NoGradGuard no_gradient;
    const auto narrow = [](const at::Tensor &x) { return x.to(at::kBFloat16); };
    const at::Tensor q = random_tokens(1, 2), k = random_tokens(2, 2, 47), v = random_tokens(3, 2, 47);
    nn::AlignedTokens aligned = two_slots(2, 1);
    const at::Tensor wide = nn::flow_attention(q, k, v, heads, aligned);
    for (nn::AlignedSlot &slot : aligned.slots)
        for (std::vector<at::Tensor> *list : {&slot.keys, &slot.values})
            std::transform(list->begin(), list->end(), list->begin(), narrow);
    const at::Tensor found = nn::flow_attention(narrow(q), narrow(k), narrow(v), heads, aligned);
    ck_assert(found.scalar_type() == at::kBFloat16);
    expect_close(found.to(at::kFloat), wide, 0.03, "bfloat16");
}

AIANIME_TEST(nothing_valid_is_plain) {
    const at::NoGradGuard no_gradient;
    const at::Tensor q = random_tokens(1, 2), k = random_tokens(2, 2), v = random_tokens(3, 2),
                     plain = nn::attention(q, k, v, heads);
    expect_close(nn::flow_attention(q, k, v, heads, {}), plain, 1e-5, "no slots");
    nn::AlignedTokens aligned = two_slots(2, 4);
    for (nn::AlignedSlot &slot : aligned.slots)
        slot.places.valid.zero_();
    expect_close(nn::flow_attention(q, k, v, heads, aligned), plain, 1e-5, "nothing valid");
}

// Things moved by (2, 1) cells: with a high weight a query gets the very values of the cell that it came from.
AIANIME_TEST(a_translation_picks_the_translated_tokens) {
    const at::NoGradGuard no_gradient;
    const at::Tensor q = random_tokens(1, 1), k = random_tokens(2, 1), v = random_tokens(3, 1);
    nn::FlowField places = nn::still(height, width);
    places.flow[0].fill_(2);
    places.flow[1].fill_(1);
    const nn::AlignedTokens aligned{
        height, width, {{{q[0]}, {random_tokens(4, 1)[0]}, {places.flow.unsqueeze(0), places.valid.unsqueeze(0)}}}, 1e9};
    const at::Tensor out = nn::flow_attention(q, k, v, heads, aligned).view({height, width, channels}),
                     there = aligned.slots[0].values[0].view({height, width, channels});
    expect_close(out.slice(0, 0, height - 1).slice(1, 0, width - 2), there.slice(0, 1).slice(1, 2), 1e-4, "translated");
}

AIANIME_TEST(memory_is_linear) {
    const at::NoGradGuard no_gradient;
    constexpr int64_t side = 160, many = side * side; // a matrix of all pairs would take 2.6 GB a head
    const at::Tensor q = random_tokens(1, 1, many);
    nn::FlowField places = nn::still(side, side);
    places = {places.flow.unsqueeze(0), places.valid.unsqueeze(0)};
    const long before = peak_kilobytes();
    const at::Tensor out =
        nn::flow_attention(q, q, q, heads, {side, side, {{{q[0]}, {q[0]}, places}, {{q[0]}, {q[0]}, places}}, 1});
    ck_assert_int_lt(peak_kilobytes() - before, 200 * 1024);
    ck_assert(at::isfinite(out).all().item<bool>());
}

// As the denoiser uses it: two branches of three frames, each with its neighbours and one anchor.
AIANIME_TEST(frames_look_along_the_flow) {
    const at::NoGradGuard no_gradient;
    constexpr int64_t branches = 2, frames = 3;
    const at::Tensor q = random_tokens(1, branches * frames), k = random_tokens(2, branches * frames),
                     v = random_tokens(3, branches * frames), anchor_k = random_tokens(4, branches),
                     anchor_v = random_tokens(5, branches);
    nn::AnchorStore store{{anchor_k}, {anchor_v}};
    nn::CrossFrames cross;
    cross.branches = branches;
    cross.frames = frames;
    cross.neighbours = {-1, 1, 0, 2, 1, -1}; // the frame before and the one behind
    cross.weight = 0.7;
    cross.places = random_field(6, frames * 3);
    cross.places = {cross.places.flow.view({1, frames, 3, 2, height, width}),
                    cross.places.valid.view({1, frames, 3, height, width})};
    cross.places.valid[0][0][0].zero_();
    cross.places.valid[0][2][1].zero_();
    nn::FrameAttention attention{nn::AttentionMode::flow, branches, frames, &store, false, 0, &cross, height, width};
    const at::Tensor found = attention.attend(q, k, v, heads);

    const nn::FlowField &places = cross.on_grid(height, width);
    for (int64_t i = 0; i < branches * frames; i++) {
        const int64_t branch = i / frames, frame = i % frames;
        nn::AlignedTokens aligned{height, width, {}, cross.weight};
        for (int64_t slot = 0; slot < 3; slot++) {
            const int64_t other = slot < 2 ? cross.neighbours[static_cast<size_t>(2 * frame + slot)] : -1;
            const int64_t row = branch * frames + std::max<int64_t>(other, 0);
            aligned.slots.push_back({{slot < 2 ? k[row] : anchor_k[branch]},
                                     {slot < 2 ? v[row] : anchor_v[branch]},
                                     {places.flow[0][frame][slot].unsqueeze(0), places.valid[0][frame][slot].unsqueeze(0)}});
        }
        const at::Tensor all_k = at::cat({k[i], anchor_k[branch]}).unsqueeze(0),
                         all_v = at::cat({v[i], anchor_v[branch]}).unsqueeze(0);
        expect_close(found.slice(0, i, i + 1), slow_flow_attention(q.slice(0, i, i + 1), all_k, all_v, aligned), 1e-4,
                     "frame " + std::to_string(i));
    }
}

// In a fine layer anchors are seen by the means of 2x2 tokens, each with the weight of as many; sides are odd here.
AIANIME_TEST(fine_layers_see_means_of_anchors) {
    const at::NoGradGuard no_gradient;
    constexpr int64_t rows = 33, columns = 35, many = rows * columns, side = 4, down = 9, right = 9; // 2x2 would leave 306
    const at::Tensor q = random_tokens(1, 3, many), k = random_tokens(2, 3, many), v = random_tokens(3, 3, many);
    nn::AnchorStore store;
    nn::CrossFrames cross;
    for (int64_t anchor : {0, 1}) {
        nn::FrameAttention recorded{nn::AttentionMode::flow, 1, 1, &store, true, 0, &cross, rows, columns};
        const auto own = [=](const at::Tensor &x) { return x.slice(0, anchor, anchor + 1); };
        recorded.attend(own(q), own(k), own(v), heads);
    }
    nn::FrameAttention attention{nn::AttentionMode::flow, 1, 1, &store, false, 0, &cross, rows, columns};
    const at::Tensor found = attention.attend(q.slice(0, 2), k.slice(0, 2), v.slice(0, 2), heads);

    std::vector<at::Tensor> keys = {k[2]}, values = {v[2]}, bias = {at::zeros({many})};
    for (int64_t anchor : {0, 1})
        for (int64_t y = 0; y < down; y++)
            for (int64_t x = 0; x < right; x++) {
                std::vector<int64_t> cell;
                for (int64_t row = side * y; row < std::min(side * (y + 1), rows); row++)
                    for (int64_t column = side * x; column < std::min(side * (x + 1), columns); column++)
                        cell.push_back(row * columns + column);
                const at::Tensor index = at::tensor(cell);
                keys.push_back(k[anchor].index_select(0, index).mean(0, true));
                values.push_back(v[anchor].index_select(0, index).mean(0, true));
                bias.push_back(at::full({1}, std::log(static_cast<double>(cell.size()))));
            }
    const auto split = [](const at::Tensor &x) { return x.unflatten(1, {heads, -1}).transpose(0, 1).to(at::kDouble); };
    const at::Tensor logits =
        at::matmul(split(q[2]), split(at::cat(keys)).transpose(1, 2)) / std::sqrt(static_cast<double>(channels / heads)) +
        at::cat(bias).to(at::kDouble);
    const at::Tensor expected = at::matmul(at::softmax(logits, -1), split(at::cat(values))).transpose(0, 1).flatten(1);
    expect_close(found[0], expected.to(at::kFloat), 1e-4, "means of anchors");
}

AIANIME_TEST(one_frame_is_plain) {
    const at::NoGradGuard no_gradient;
    const at::Tensor q = random_tokens(1, 1), k = random_tokens(2, 1), v = random_tokens(3, 1);
    nn::AnchorStore store;
    nn::CrossFrames cross;
    nn::FrameAttention attention{nn::AttentionMode::flow, 1, 1, &store, false, 0, &cross, height, width};
    ck_assert(at::equal(attention.attend(q, k, v, heads), nn::attention(q, k, v, heads)));
}

int main() {
    return run_suite("flow_attention",
                     {as_defined, both_ways_agree, in_bfloat16, nothing_valid_is_plain, a_translation_picks_the_translated_tokens,
                      memory_is_linear, frames_look_along_the_flow, fine_layers_see_means_of_anchors, one_frame_is_plain});
}
