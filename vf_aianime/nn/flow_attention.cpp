// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/flow_attention.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "nn/aten.h"
#include "nn/cross_kernel.h"
#include "nn/layers.h"

namespace aianime::nn {

namespace {

// A softmax over a part of the tokens, to be merged with others.
struct Partial {
    at::Tensor mean;    // [n, heads, tokens, d], of the values
    at::Tensor log_sum; // float32 [n, heads, tokens], of the exponentials of all logits
};

at::Tensor split_heads(const at::Tensor &x, int64_t heads) { return x.unflatten(2, {heads, -1}).transpose(1, 2); }

double scale_of(const at::Tensor &q, int64_t heads) {
    return 1 / std::sqrt(static_cast<double>(q.size(2)) / static_cast<double>(heads));
}

// Written out, some queries at a time so that memory stays linear in the tokens.
Partial attend_in_parts(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &bias) {
    constexpr int64_t part = 256;
    const at::Tensor keys = k.to(at::kFloat).transpose(2, 3), values = v.to(at::kFloat);
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
    std::vector<at::Tensor> means, sums;
    for (const at::Tensor &some : q.split(part, 2)) {
        const at::Tensor plain = at::matmul(some.to(at::kFloat) * scale, keys), logits = bias.defined() ? plain + bias : plain;
        sums.push_back(at::logsumexp(logits, -1));
        means.push_back(at::matmul(at::softmax(logits, -1), values));
    }
    return {at::cat(means, 2), at::cat(sums, 2)};
}

// bias: float32 [m], added to the logits; may be undefined.
Partial attend_everywhere(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &bias = {}) {
    if (!q.is_cpu() || at::GradMode::is_enabled())
        return attend_in_parts(q, k, v, bias);
    std::optional<at::Tensor> mask;
    if (bias.defined())
        mask = bias.to(q.scalar_type()).view({1, 1, 1, -1});
    const auto [mean, log_sum] = at::_scaled_dot_product_flash_attention_for_cpu(q, k, v, 0, false, mask);
    return {mean, log_sum};
}

// Adds the softmax over other tokens: the mean of their values and the log of the sum of their logits' exponentials.
void merge(Partial &all, const Partial &others) {
    const at::Tensor sum = at::logaddexp(all.log_sum, others.log_sum);
    all.mean = all.mean.to(at::kFloat) * at::exp(all.log_sum - sum).unsqueeze(-1) +
               others.mean * at::exp(others.log_sum - sum).unsqueeze(-1);
    all.log_sum = sum;
}

at::Tensor joined(const Partial &all, const at::Tensor &q) { return all.mean.transpose(1, 2).flatten(2).to(q.scalar_type()); }

// Of aligned tokens, added to every logit.
double bias_of(const AlignedTokens &aligned, const at::Tensor &k, const at::Tensor &counts) {
    const double seen = counts.defined() ? counts.sum().item<double>() : static_cast<double>(k.size(1));
    return std::log(aligned.weight * seen / static_cast<double>(aligned.slots.size()));
}

void add_aligned(Partial &all, const at::Tensor &queries, const AlignedTokens &aligned, double bias) {
    const int64_t heads = queries.size(1);
    const at::Tensor scaled = queries.to(at::kFloat) / std::sqrt(static_cast<double>(queries.size(3)));
    for (const AlignedSlot &slot : aligned.slots) {
        const auto there = [&](const std::vector<at::Tensor> &tokens) {
            const at::Tensor picture = to_picture(at::stack(tokens), aligned.height, aligned.width);
            return split_heads(to_tokens(gather_along(picture, slot.places.flow)).to(at::kFloat), heads);
        };
        const at::Tensor trust = at::log(slot.places.valid.flatten(1)).unsqueeze(1);
        merge(all, {there(slot.values), (scaled * there(slot.keys)).sum(-1) + bias + trust});
    }
}

// add_aligned() by the kernel for the CPU, `Number` as there, and joined().
template <typename Number>
at::Tensor fused(const Partial &all, const at::Tensor &q, int64_t heads, const AlignedTokens &aligned, double bias) {
    const auto numbers = [](const at::Tensor &x) { return static_cast<const Number *>(x.data_ptr()); };
    const at::Tensor queries = q.contiguous(), mean = all.mean.transpose(1, 2).contiguous(),
                     log_sum = all.log_sum.transpose(1, 2).contiguous(), result = at::empty_like(queries);
    const int64_t tokens = q.size(1), channels = q.size(2);
    std::vector<at::Tensor> held; // what is looked at, contiguous
    const auto hold = [&held](const at::Tensor &x) { return held.emplace_back(x.contiguous()); };
    const std::vector<float> biases(static_cast<size_t>(heads), static_cast<float>(bias));
    std::vector<CrossFrame<Number>> frames(static_cast<size_t>(q.size(0)));
    for (size_t i = 0; i < frames.size(); i++) {
        const auto row = static_cast<int64_t>(i);
        CrossFrame<Number> &frame = frames[i];
        frame.height = aligned.height;
        frame.width = aligned.width;
        frame.heads = heads;
        frame.channels = channels;
        frame.queries = numbers(queries) + row * tokens * channels;
        frame.mean = numbers(mean) + row * tokens * channels;
        frame.log_sum = log_sum.const_data_ptr<float>() + row * tokens * heads;
        for (const AlignedSlot &slot : aligned.slots)
            frame.slots.push_back({numbers(hold(slot.keys[i])), numbers(hold(slot.values[i])), channels,
                                   hold(slot.places.flow[row]).template const_data_ptr<float>(),
                                   hold(slot.places.valid[row]).template const_data_ptr<float>(), biases.data()});
    }
    cross_tokens(frames, static_cast<Number *>(result.data_ptr()));
    return result;
}

// The kernel has no gradient.
bool can_be_fused(const Partial &all, const at::Tensor &q, int64_t heads, const AlignedTokens &aligned) {
    const at::ScalarType type = q.scalar_type();
    const bool same = std::all_of(aligned.slots.begin(), aligned.slots.end(), [type](const AlignedSlot &slot) {
        return slot.keys.front().scalar_type() == type && slot.values.front().scalar_type() == type;
    });
    return same && !at::GradMode::is_enabled() && q.is_cpu() && (type == at::kFloat || type == at::kBFloat16) &&
           all.mean.scalar_type() == type && q.size(2) % 8 == 0 && q.size(2) / heads % 4 == 0;
}

} // namespace

at::Tensor flow_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads,
                          const AlignedTokens &aligned, const at::Tensor &counts) {
    const at::Tensor queries = split_heads(q, heads);
    Partial all =
        attend_everywhere(queries, split_heads(k, heads), split_heads(v, heads), counts.defined() ? at::log(counts) : counts);
    if (aligned.slots.empty())
        return joined(all, q);
    const double bias = bias_of(aligned, k, counts);
    if (can_be_fused(all, q, heads, aligned))
        return q.scalar_type() == at::kFloat ? fused<float>(all, q, heads, aligned, bias)
                                             : fused<uint16_t>(all, q, heads, aligned, bias);
    add_aligned(all, queries, aligned, bias);
    return joined(all, q);
}

at::Tensor local_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, int64_t branches) {
    Partial all = attend_everywhere(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads));
    const int64_t frames = q.size(0) / branches;
    if (frames == 1)
        return joined(all, q);
    // float32 [branches, tokens, heads, frames, d]
    const auto by_place = [&](const at::Tensor &x) {
        return x.to(at::kFloat).unflatten(0, {branches, frames}).unflatten(3, {heads, -1}).permute({0, 2, 3, 1, 4});
    };
    const at::Tensor own = at::eye(frames, q.options().dtype(at::kBool)); // its own token is counted already
    const at::Tensor logits =
        at::matmul(by_place(q) * scale_of(q, heads), by_place(k).transpose(-1, -2)).masked_fill(own, -INFINITY);
    // [branches, tokens, heads, frames, ...] -> [branches * frames, heads, tokens, ...]
    const auto by_frame = [](const at::Tensor &x) { return x.movedim(3, 1).transpose(2, 3).flatten(0, 1); };
    merge(all, {by_frame(at::matmul(at::softmax(logits, -1), by_place(v))), by_frame(at::logsumexp(logits, -1))});
    return joined(all, q);
}

} // namespace aianime::nn
