// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/resource.h>

#include <cmath>
#include <functional>

#include "nn/aten.h"
#include "nn/frame_attention.h"
#include "nn/unet.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;
using nn::AttentionMode;

namespace {

constexpr int64_t branches = 2, frames = 4, tokens = 6, heads = 3, channels = 12;

// The frames, within a branch, whose tokens a frame sees.
using Visible = std::function<std::vector<int64_t>(int64_t frame)>;

struct Projected {
    at::Tensor q, k, v; // [branches * count, tokens, channels]

    explicit Projected(uint64_t seed, int64_t count = frames) {
        at::Generator generator = at::detail::createCPUGenerator(seed);
        for (at::Tensor *x : {&q, &k, &v})
            *x = at::randn({branches * count, tokens, channels}, generator, at::kFloat) * 1.5;
    }
};

// Softmax attention written out, one frame and one head at a time.
at::Tensor slow_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v) {
    std::vector<at::Tensor> outputs;
    const int64_t width = channels / heads;
    for (int64_t head = 0; head < heads; head++) {
        const auto part = [&](const at::Tensor &x) { return x.slice(1, head * width, (head + 1) * width); };
        const at::Tensor scores = at::exp(at::matmul(part(q), part(k).t()) / std::sqrt(static_cast<double>(width)));
        outputs.push_back(at::matmul(scores / scores.sum(1, true), part(v)));
    }
    return at::cat(outputs, 1);
}

// What `attend` must give when a frame sees `visible` frames' tokens and, after them, `anchors`' (may be undefined).
at::Tensor slow_attend(const Projected &p, const Visible &visible, const at::Tensor &anchor_keys = {},
                       const at::Tensor &anchor_values = {}) {
    std::vector<at::Tensor> outputs;
    const int64_t count = p.q.size(0) / branches;
    for (int64_t i = 0; i < branches * count; i++) {
        const int64_t branch = i / count;
        std::vector<at::Tensor> keys, values;
        for (int64_t seen : visible(i % count)) {
            keys.push_back(p.k[branch * count + seen]);
            values.push_back(p.v[branch * count + seen]);
        }
        if (anchor_keys.defined()) {
            keys.push_back(anchor_keys[branch]);
            values.push_back(anchor_values[branch]);
        }
        outputs.push_back(slow_attention(p.q[i], at::cat(keys), at::cat(values)));
    }
    return at::stack(outputs);
}

at::Tensor attend(nn::FrameAttention &&attention, const Projected &p) { return attention.attend(p.q, p.k, p.v, heads); }

std::vector<int64_t> own(int64_t frame) { return {frame}; }

long peak_kilobytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

} // namespace

AIANIME_TEST(plain) {
    const Projected p(1);
    expect_close(nn::attention(p.q, p.k, p.v, heads), slow_attend(p, own), 1e-4, "attention");
    // Parts of one merged projection have rows that do not follow each other.
    const std::vector<at::Tensor> parts = at::cat({p.q, p.k, p.v}, 2).chunk(3, 2);
    expect_close(nn::attention(parts[0], parts[1], parts[2], heads), slow_attend(p, own), 1e-4, "strided");
}

AIANIME_TEST(self) {
    expect_close(attend({AttentionMode::self, branches, frames}, Projected(2)), slow_attend(Projected(2), own), 1e-4, "self");
}

AIANIME_TEST(sparse) {
    const Projected p(3);
    const Visible first_and_previous = [](int64_t frame) { return std::vector<int64_t>{0, std::max<int64_t>(frame - 1, 0)}; };
    expect_close(attend({AttentionMode::sparse, branches, frames}, p), slow_attend(p, first_and_previous), 1e-4, "sparse");
    const Projected two(4, 2);
    expect_close(attend({AttentionMode::sparse, branches, 2}, two), slow_attend(two, first_and_previous), 1e-4, "two frames");
}

AIANIME_TEST(window) {
    const Projected p(5);
    const Visible all = [](int64_t) { return std::vector<int64_t>{0, 1, 2, 3}; };
    expect_close(attend({AttentionMode::window, branches, frames}, p), slow_attend(p, all), 1e-4, "window");
}

AIANIME_TEST(interleaved) {
    const Projected p(15), q(16);
    nn::FrameAttention attention{AttentionMode::interleaved, branches, frames};
    const auto sees = [](int64_t parity) {
        return [=](int64_t frame) {
            std::vector<int64_t> seen = {parity, parity + 2};
            if (frame % 2 != parity)
                seen.push_back(frame);
            return seen;
        };
    };
    expect_close(attention.attend(p.q, p.k, p.v, heads), slow_attend(p, sees(0)), 1e-4, "even layer");
    expect_close(attention.attend(q.q, q.k, q.v, heads), slow_attend(q, sees(1)), 1e-4, "odd layer");
    const Projected three(17, 3);
    const Visible evens = [](int64_t frame) { return frame % 2 ? std::vector<int64_t>{0, 2, 1} : std::vector<int64_t>{0, 2}; };
    expect_close(attend({AttentionMode::interleaved, branches, 3}, three), slow_attend(three, evens), 1e-4, "three frames");
    nn::FrameAttention odd{AttentionMode::interleaved, branches, 3};
    odd.next_layer = 1;
    const Visible odds = [](int64_t frame) { return frame == 1 ? std::vector<int64_t>{1} : std::vector<int64_t>{1, frame}; };
    expect_close(odd.attend(three.q, three.k, three.v, heads), slow_attend(three, odds), 1e-4, "three frames, odd layer");
}

AIANIME_TEST(local) {
    const c10::InferenceMode guard;
    const Projected p(18);
    at::Tensor expected = at::zeros_like(p.q);
    for (int64_t i = 0; i < branches * frames; i++)
        for (int64_t t = 0; t < tokens; t++) {
            std::vector<at::Tensor> keys = {p.k[i]}, values = {p.v[i]};
            for (int64_t other = i / frames * frames; other < (i / frames + 1) * frames; other++)
                if (other != i) {
                    keys.push_back(p.k[other].slice(0, t, t + 1));
                    values.push_back(p.v[other].slice(0, t, t + 1));
                }
            expected[i].slice(0, t, t + 1).copy_(slow_attention(p.q[i].slice(0, t, t + 1), at::cat(keys), at::cat(values)));
        }
    expect_close(attend({AttentionMode::local, branches, frames}, p), expected, 1e-4, "local");
}

AIANIME_TEST(anchors) {
    const Projected first(6, 1), two(7, 2), p(8);
    nn::AnchorStore store;
    // One anchor, then two more at once: each sees itself and what was there before.
    expect_close(attend({AttentionMode::anchors, branches, 1, &store, true}, first), slow_attend(first, own), 1e-4, "first anchor");
    ck_assert_uint_eq(store.keys.size(), 1);
    const at::Tensor keys = store.keys[0].clone(), values = store.values[0].clone();
    ck_assert(at::equal(keys, first.k) && at::equal(values, first.v));
    expect_close(attend({AttentionMode::anchors, branches, 2, &store, true}, two), slow_attend(two, own, keys, values), 1e-4,
                 "later anchors");
    ck_assert(store.keys[0].sizes().equals({branches, 3 * tokens, channels}));
    ck_assert(at::equal(store.values[0].slice(1, tokens), two.v.view({branches, 2 * tokens, channels})));

    const at::Tensor expected = slow_attend(p, own, store.keys[0], store.values[0]);
    expect_close(attend({AttentionMode::anchors, branches, frames, &store, false}, p), expected, 1e-4, "frames");
    ck_assert_int_eq(store.keys[0].size(1), 3 * tokens);
}

AIANIME_TEST(layers_have_their_own_anchors) {
    const Projected one(9, 1), two(10, 1), p(11);
    nn::AnchorStore store;
    nn::FrameAttention recording{AttentionMode::anchors, branches, 1, &store, true},
        reading{AttentionMode::anchors, branches, frames, &store};
    recording.attend(one.q, one.k, one.v, heads);
    recording.attend(two.q, two.k, two.v, heads);
    ck_assert_uint_eq(recording.next_layer, 2);
    expect_close(reading.attend(p.q, p.k, p.v, heads), slow_attend(p, own, one.k, one.v), 1e-4, "first layer");
    expect_close(reading.attend(p.q, p.k, p.v, heads), slow_attend(p, own, two.k, two.v), 1e-4, "second layer");
}

AIANIME_TEST(no_anchors_is_self) {
    const Projected p(12);
    nn::AnchorStore store;
    expect_close(attend({AttentionMode::anchors, branches, frames, &store}, p), slow_attend(p, own), 1e-4, "empty store");
    expect_close(attend({AttentionMode::anchors, branches, frames}, p), slow_attend(p, own), 1e-4, "no store");
}

AIANIME_TEST(one_frame_is_plain) {
    const Projected p(13, 1);
    for (AttentionMode mode : {AttentionMode::self, AttentionMode::sparse, AttentionMode::anchors, AttentionMode::window,
                               AttentionMode::interleaved, AttentionMode::local})
        expect_close(attend({mode, branches, 1}, p), slow_attend(p, own), 1e-4, "mode " + std::to_string(static_cast<int>(mode)));
}

AIANIME_TEST(wrong_batch) {
    const Projected p(14);
    expect_error([&] { attend({AttentionMode::self, branches, frames + 1}, p); }, AIANIME_INTERNAL, "branches");
}

// The score matrix of this call would take 512 MB; the fused kernel keeps a block of it.
AIANIME_TEST(no_score_matrix_in_memory) {
    const c10::InferenceMode guard;
    for (at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        const at::Tensor x = at::ones({1, 8192, 32}, dtype);
        const long before = peak_kilobytes();
        nn::attention(x, x, x, 2);
        ck_assert_int_lt(peak_kilobytes() - before, 100 * 1024);
    }
}

// Every self-attention layer of the networks takes part, cross-attention does not.
AIANIME_TEST(networks_use_it) {
    const c10::InferenceMode guard;
    const NetworkGolden golden("unet/heads"), control_golden("controlnet/control");
    nn::UNet unet(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(unet.module(), at::kFloat);
    nn::ControlNet control(nn::UNetConfig::from_json(control_golden.config()));
    control_golden.load_into(control.module(), at::kFloat);
    const at::Tensor x = golden.tensor("x0"), text = golden.tensor("text0").slice(0, 0, 1);

    const at::Tensor plain = unet.forward(x, 5, text, nullptr, nullptr);
    const auto run = [&](AttentionMode mode) {
        nn::FrameAttention attention{mode, 1, 2};
        const at::Tensor out = unet.forward(x, 5, text, &attention, nullptr);
        ck_assert_uint_eq(attention.next_layer, 4);
        return out;
    };
    expect_close(run(AttentionMode::self), plain, 1e-5, "self");
    ck_assert_double_gt(relative_error(run(AttentionMode::window), plain), 1e-3);
    // The window's first frame is its own first and previous frame.
    const at::Tensor sparse = run(AttentionMode::sparse);
    expect_close(sparse[0], plain[0], 1e-5, "sparse, first frame");
    ck_assert_double_gt(relative_error(sparse[1], plain[1]), 1e-3);

    nn::FrameAttention attention{AttentionMode::window, 1, 2};
    const at::Tensor hint = control.embed_hint(control_golden.tensor("hint"));
    control.forward(control_golden.tensor("x"), 5, control_golden.tensor("text"), hint, &attention);
    ck_assert_uint_eq(attention.next_layer, 2);
}

int main() {
    return run_suite("frame_attention",
                     {plain, self, sparse, window, interleaved, local, anchors, layers_have_their_own_anchors, no_anchors_is_self,
                      one_frame_is_plain, wrong_batch, no_score_matrix_in_memory, networks_use_it});
}
