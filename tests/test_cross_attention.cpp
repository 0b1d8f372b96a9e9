// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_attention.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

constexpr int64_t branches = 2, frames = 3, height = 5, width = 7, tokens = height * width, heads = 2, channels = 8,
                  neighbour_slots = 2;

at::Generator &generator() {
    static at::Generator it = at::detail::createCPUGenerator(3);
    return it;
}

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape, generator(), at::kFloat); }

at::Tensor random_gates() { return random({nn::cross_kinds, heads}); }

// Frames that look at the one before and the one after, and at two anchors.
nn::CrossTokens random_tokens(int64_t sets) {
    nn::CrossTokens all;
    all.height = height;
    all.width = width;
    all.branches = branches;
    all.queries = random({branches * frames, tokens, channels});
    all.own = random({branches * frames, tokens, 2 * channels});
    all.neighbours = {-1, 1, 0, 2, 1, -1};
    all.neighbour_slots = neighbour_slots;
    all.anchors = {random({branches, tokens, 2 * channels}), random({branches, tokens, 2 * channels})};
    all.coarse = random({branches, 11, 2 * channels});
    const at::Tensor valid = at::rand({sets, frames, 4, height, width}, generator(), at::kFloat) * 2 - 0.5;
    all.places = nn::resize_flow({random({sets, frames, 4, 2, height, width}) * 2, valid.clamp(0, 1)}, height, width);
    return all;
}

// Keys and values of a picture, [tokens, 2 * channels], at a place between its cells.
at::Tensor between(const at::Tensor &picture, double x, double y) {
    x = std::min(std::max(x, 0.0), static_cast<double>(width - 1));
    y = std::min(std::max(y, 0.0), static_cast<double>(height - 1));
    const auto left = static_cast<int64_t>(x), top = static_cast<int64_t>(y);
    const int64_t right = std::min(left + 1, width - 1), bottom = std::min(top + 1, height - 1);
    const double a = x - static_cast<double>(left), b = y - static_cast<double>(top);
    return picture[top * width + left] * ((1 - a) * (1 - b)) + picture[top * width + right] * (a * (1 - b)) +
           picture[bottom * width + left] * ((1 - a) * b) + picture[bottom * width + right] * (a * b);
}

struct Seen {
    at::Tensor both;
    nn::CrossKind kind;
    double bias;
};

// What one token sees besides itself.
std::vector<Seen> seen_by(const nn::CrossTokens &all, int64_t frame, int64_t token) {
    const int64_t branch = frame / frames, own = frame % frames, y = token / width, x = token % width;
    const int64_t set = all.places.flow.size(0) == 1 ? 0 : branch;
    std::vector<Seen> seen;
    for (int64_t slot = 0; slot < all.places.flow.size(2); slot++) {
        const bool anchor = slot >= all.neighbour_slots;
        const int64_t other = anchor ? 0 : all.neighbours[static_cast<size_t>(own * all.neighbour_slots + slot)];
        const double valid = all.places.valid[set][own][slot][y][x].item<double>();
        if (other < 0 || valid == 0)
            continue;
        const at::Tensor picture =
            anchor ? all.anchors[static_cast<size_t>(slot - all.neighbour_slots)][branch] : all.own[branch * frames + other];
        const at::Tensor flow = all.places.flow[set][own][slot];
        seen.push_back({between(picture, static_cast<double>(x) + flow[0][y][x].item<double>(),
                                static_cast<double>(y) + flow[1][y][x].item<double>()),
                        anchor ? nn::CrossKind::anchor : nn::CrossKind::neighbour,
                        std::log(valid) - (anchor ? std::log(static_cast<double>(all.anchors.size())) : 0)});
    }
    for (int64_t i = 0; all.coarse.defined() && i < all.coarse.size(1); i++)
        seen.push_back({all.coarse[branch][i], nn::CrossKind::coarse, -std::log(static_cast<double>(all.coarse.size(1)))});
    return seen;
}

// The definition written out, one token and one head at a time.
at::Tensor slow(const nn::CrossTokens &all, const at::Tensor &gates) {
    const at::Tensor result = at::zeros_like(all.queries);
    const int64_t d = channels / heads;
    for (int64_t frame = 0; frame < all.queries.size(0); frame++)
        for (int64_t token = 0; token < tokens; token++) {
            std::vector<Seen> seen = seen_by(all, frame, token);
            seen.push_back({all.own[frame][token], nn::CrossKind::own, 0});
            for (int64_t head = 0; head < heads; head++) {
                const auto part = [&](const at::Tensor &x) { return x.slice(0, head * d, (head + 1) * d); };
                const at::Tensor query = part(all.queries[frame][token]);
                double sum = 0;
                at::Tensor mean = at::zeros({d});
                for (const Seen &one : seen) {
                    const double logit = query.dot(part(one.both)).item<double>() / std::sqrt(static_cast<double>(d)) +
                                         gates[static_cast<int64_t>(one.kind)][head].item<double>() + one.bias;
                    sum += std::exp(logit);
                    mean += part(one.both.slice(0, channels)) * std::exp(logit);
                }
                part(result[frame][token]).copy_(mean / sum - part(all.own[frame][token].slice(0, channels)));
            }
        }
    return result;
}

// Both ways: as it is trained, and as it is run.
at::Tensor run(const nn::CrossTokens &all, const at::Tensor &gates) {
    const at::Tensor trained = nn::cross_attention(all, gates);
    const at::NoGradGuard no_gradient;
    const at::Tensor result = nn::cross_attention(all, gates);
    ck_assert_double_lt((trained - result).abs().max().item<double>(), 1e-5 * all.own.abs().max().item<double>());
    return result;
}

} // namespace

AIANIME_TEST(it_is_what_its_definition_says) {
    for (int64_t sets : {int64_t{1}, branches}) {
        const nn::CrossTokens all = random_tokens(sets);
        const at::Tensor gates = random_gates();
        expect_close(run(all, gates), slow(all, gates), 1e-4, std::to_string(sets) + " sets of flows");
    }
    nn::CrossTokens some = random_tokens(1);
    const at::Tensor gates = random_gates();
    some.coarse.reset();
    expect_close(run(some, gates), slow(some, gates), 1e-4, "no coarse grid");
    some.anchors.clear();
    some.places = {some.places.flow.slice(2, 0, 2), some.places.valid.slice(2, 0, 2)};
    expect_close(run(some, gates), slow(some, gates), 1e-4, "neighbours only");
}

// One query that a single moved key answers takes that token's value.
AIANIME_TEST(a_translation_picks_the_translated_values) {
    nn::CrossTokens all = random_tokens(1);
    all.coarse.reset();
    all.anchors.resize(1);
    all.neighbours.clear();
    all.neighbour_slots = 0;
    const at::Tensor flow = at::zeros({1, frames, 1, 2, height, width});
    flow.select(3, 0).fill_(2);
    all.places = nn::resize_flow({flow, at::ones({1, frames, 1, height, width})}, height, width);
    at::Tensor gates = at::zeros({nn::cross_kinds, heads});
    gates.select(0, static_cast<int64_t>(nn::CrossKind::anchor)).fill_(100);
    const auto picture = [](const at::Tensor &values) { return values.unflatten(-2, {height, width}); };
    const at::Tensor taken = picture(run(all, gates) + all.own.slice(2, channels)).unflatten(0, {branches, frames});
    const at::Tensor values = picture(all.anchors[0].slice(2, channels)).unsqueeze(1).expand({-1, frames, -1, -1, -1});
    expect_close(taken.slice(3, 0, width - 2), values.slice(3, 2), 1e-4, "two to the right");
    const at::Tensor own = picture(all.own.slice(2, channels)).unflatten(0, {branches, frames});
    expect_close(taken.slice(3, width - 2), own.slice(3, width - 2), 1e-4, "beyond the border nothing is taken");
}

AIANIME_TEST(nothing_to_be_seen_adds_nothing) {
    nn::CrossTokens all = random_tokens(1);
    all.coarse.reset();
    all.places.valid = at::zeros_like(all.places.valid);
    ck_assert_double_lt(run(all, random_gates()).abs().max().item<double>(), 1e-6);
}

// A second anchor that is the first again changes nothing.
AIANIME_TEST(the_number_of_anchors_does_not_change_what_they_weigh) {
    nn::CrossTokens one = random_tokens(1);
    one.anchors.resize(1);
    one.places = {one.places.flow.slice(2, 0, 3), one.places.valid.slice(2, 0, 3)};
    nn::CrossTokens two = one;
    two.anchors.push_back(one.anchors[0]);
    two.coarse = at::cat({one.coarse, one.coarse}, 1);
    const auto again = [](const at::Tensor &x) { return at::cat({x, x.slice(2, 2)}, 2); };
    two.places = {again(one.places.flow), again(one.places.valid)};
    const at::Tensor gates = random_gates();
    expect_close(run(two, gates), run(one, gates), 1e-5, "twice the same");
}

// Sixteen bits a number, which the kernel reads and writes itself.
AIANIME_TEST(bfloat16_is_near) {
    nn::CrossTokens all = random_tokens(1);
    const at::Tensor gates = random_gates();
    const at::Tensor exact = run(all, gates);
    const auto narrow = [](at::Tensor &x) { x = x.to(at::kBFloat16); };
    narrow(all.queries);
    narrow(all.own);
    narrow(all.coarse);
    for (at::Tensor &anchor : all.anchors)
        narrow(anchor);
    const at::NoGradGuard no_gradient;
    const at::Tensor fused = nn::cross_attention(all, gates);
    ck_assert(fused.scalar_type() == at::kBFloat16);
    expect_close(fused, exact, 0.02, "bfloat16");
}

AIANIME_TEST(any_number_of_threads_gives_the_same) {
    constexpr int64_t times = 40; // many tokens, or one thread takes all
    nn::CrossTokens all = random_tokens(1);
    const auto tall = [](at::Tensor &x) { x = x.repeat({1, times, 1}); };
    all.height *= times;
    tall(all.queries);
    tall(all.own);
    for (at::Tensor &anchor : all.anchors)
        tall(anchor);
    all.places = {all.places.flow.repeat({1, 1, 1, 1, times, 1}), all.places.valid.repeat({1, 1, 1, times, 1})};
    const at::Tensor gates = random_gates();
    const at::NoGradGuard no_gradient;
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor one = nn::cross_attention(all, gates);
    for (int number : {2, 3, 5}) {
        at::set_num_threads(number);
        ck_assert(at::equal(nn::cross_attention(all, gates), one));
    }
    at::set_num_threads(threads);
}

int main() {
    return run_suite("cross_attention", {it_is_what_its_definition_says, a_translation_picks_the_translated_values,
                                         nothing_to_be_seen_adds_nothing, the_number_of_anchors_does_not_change_what_they_weigh,
                                         bfloat16_is_near, any_number_of_threads_gives_the_same});
}
