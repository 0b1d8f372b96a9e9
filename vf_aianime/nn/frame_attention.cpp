// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/frame_attention.h"

#include <algorithm>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

// [batch, tokens, channels] -> [batch, heads, tokens, channels / heads], a view.
at::Tensor split_heads(const at::Tensor &x, int64_t heads) { return x.unflatten(2, {heads, -1}).transpose(1, 2); }

// [branches * frames, tokens, channels] -> [branches, frames, tokens, channels], a view.
at::Tensor by_frame(const at::Tensor &x, int64_t branches) { return x.unflatten(0, {branches, -1}); }

// Frames 0 and 1 see frame 0 only (it is both their first and their previous one), all others frame 0 and the one before.
at::Tensor attend_sparse(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, int64_t branches) {
    const at::Tensor queries = by_frame(q, branches), keys = by_frame(k, branches), values = by_frame(v, branches);
    const int64_t frames = queries.size(1), early = std::min<int64_t>(frames, 2), late = frames - early;
    const at::Tensor head = attention(queries.slice(1, 0, early).flatten(1, 2), keys.select(1, 0), values.select(1, 0), heads)
                                .unflatten(1, {early, -1});
    if (!late)
        return head.flatten(0, 1);
    const auto context = [late](const at::Tensor &x) {
        const at::Tensor first = x.slice(1, 0, 1).expand({-1, late, -1, -1});
        return at::cat({first, x.slice(1, 1, 1 + late)}, 2).flatten(0, 1);
    };
    const at::Tensor tail = attention(queries.slice(1, early).flatten(0, 1), context(keys), context(values), heads);
    return at::cat({head, by_frame(tail, branches)}, 1).flatten(0, 1);
}

// Every frame of a branch sees all tokens of the branch.
at::Tensor attend_window(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, int64_t branches) {
    const auto merged = [branches](const at::Tensor &x) { return by_frame(x, branches).flatten(1, 2); };
    return attention(merged(q), merged(k), merged(v), heads).view_as(q);
}

// Own tokens followed by the anchors' [branches, n, channels].
at::Tensor with_anchors(const at::Tensor &own, const at::Tensor &anchors) {
    const int64_t frames = own.size(0) / anchors.size(0);
    const at::Tensor shared = anchors.unsqueeze(1).expand({-1, frames, -1, -1}).flatten(0, 1);
    return at::cat({own, shared}, 1);
}

// Layer `layer` of a store's list, undefined before anything was recorded.
at::Tensor stored(const std::vector<at::Tensor> &list, size_t layer) { return layer < list.size() ? list[layer] : at::Tensor(); }

void append(std::vector<at::Tensor> &list, size_t layer, const at::Tensor &own, int64_t branches) {
    if (list.size() <= layer)
        list.resize(layer + 1);
    const at::Tensor added = by_frame(own, branches).flatten(1, 2);
    list[layer] = list[layer].defined() ? at::cat({list[layer], added}, 1) : added;
}

} // namespace

at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads) {
    const at::Tensor result = at::scaled_dot_product_attention(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads));
    return result.transpose(1, 2).flatten(2);
}

at::Tensor FrameAttention::attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads) {
    if (q.size(0) != branches * frames)
        throw Error(AIANIME_INTERNAL, "frame attention: a batch of " + std::to_string(q.size(0)) + " for " +
                                          std::to_string(branches) + " branches of " + std::to_string(frames) + " frames");
    const size_t layer = next_layer++;
    if (!record && mode == AttentionMode::sparse)
        return attend_sparse(q, k, v, heads, branches);
    if (!record && mode == AttentionMode::window)
        return attend_window(q, k, v, heads, branches);
    if (!anchors || (!record && mode == AttentionMode::self))
        return attention(q, k, v, heads);

    const at::Tensor anchor_keys = stored(anchors->keys, layer), anchor_values = stored(anchors->values, layer);
    const at::Tensor result = anchor_keys.defined()
                                  ? attention(q, with_anchors(k, anchor_keys), with_anchors(v, anchor_values), heads)
                                  : attention(q, k, v, heads);
    if (record) {
        append(anchors->keys, layer, k, branches);
        append(anchors->values, layer, v, branches);
    }
    return result;
}

} // namespace aianime::nn
