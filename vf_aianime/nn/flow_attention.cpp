// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/flow_attention.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <optional>

#include "nn/aten.h"
#include "nn/layers.h"

namespace aianime::nn {

namespace {

// A softmax over a part of the tokens, to be merged with others.
struct Partial {
    at::Tensor mean;    // float32 [n, heads, tokens, d], of the values
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
    return {mean.to(at::kFloat), log_sum};
}

// Adds the softmax over other tokens: the mean of their values and the log of the sum of their logits' exponentials.
void merge(Partial &all, const Partial &others) {
    const at::Tensor sum = at::logaddexp(all.log_sum, others.log_sum);
    all.mean = all.mean * at::exp(all.log_sum - sum).unsqueeze(-1) + others.mean * at::exp(others.log_sum - sum).unsqueeze(-1);
    all.log_sum = sum;
}

at::Tensor joined(const Partial &all, const at::Tensor &q) { return all.mean.transpose(1, 2).flatten(2).to(q.scalar_type()); }

} // namespace

at::Tensor flow_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads,
                          const AlignedTokens &aligned, const at::Tensor &counts) {
    const at::Tensor queries = split_heads(q, heads);
    Partial all =
        attend_everywhere(queries, split_heads(k, heads), split_heads(v, heads), counts.defined() ? at::log(counts) : counts);
    const auto slots = static_cast<double>(aligned.keys.size());
    const double seen = counts.defined() ? counts.sum().item<double>() : static_cast<double>(k.size(1));
    const double bias = std::log(aligned.weight * seen / slots);
    const at::Tensor scaled = queries.to(at::kFloat) * scale_of(q, heads);
    const auto there = [&](const at::Tensor &tokens, size_t slot) {
        const at::Tensor gathered = gather_along(to_picture(tokens, aligned.height, aligned.width), aligned.places[slot].flow);
        return split_heads(to_tokens(gathered).to(at::kFloat), heads);
    };
    for (size_t slot = 0; slot < aligned.keys.size(); slot++) {
        const at::Tensor trust = at::log(aligned.places[slot].valid.flatten(1)).unsqueeze(1);
        merge(all, {there(aligned.values[slot], slot), (scaled * there(aligned.keys[slot], slot)).sum(-1) + bias + trust});
    }
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
