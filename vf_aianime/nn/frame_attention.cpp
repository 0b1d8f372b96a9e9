// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/frame_attention.h"

#include <algorithm>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/cross_frames.h"
#include "nn/flow_attention.h"
#include "nn/layers.h"

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

// Frames of one parity see each other, those of the other one see them and themselves.
at::Tensor attend_interleaved(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, int64_t branches,
                              int64_t parity) {
    const at::Tensor queries = by_frame(q, branches), keys = by_frame(k, branches), values = by_frame(v, branches);
    const int64_t frames = queries.size(1);
    if (frames == 1)
        return attention(q, k, v, heads);
    const auto every_other = [](const at::Tensor &x, int64_t first) { return x.slice(1, first, {}, 2); };
    const at::Tensor seen_keys = every_other(keys, parity), seen_values = every_other(values, parity);
    const int64_t others = (frames + parity) / 2;
    const auto with_own = [&](const at::Tensor &own, const at::Tensor &seen) {
        const at::Tensor shared = seen.flatten(1, 2).unsqueeze(1).expand({-1, others, -1, -1});
        return at::cat({every_other(own, 1 - parity), shared}, 2).flatten(0, 1);
    };
    at::Tensor result = at::empty_like(queries);
    every_other(result, parity)
        .copy_(attention(every_other(queries, parity).flatten(1, 2), seen_keys.flatten(1, 2), seen_values.flatten(1, 2), heads)
                   .view_as(seen_keys));
    const at::Tensor apart =
        attention(every_other(queries, 1 - parity).flatten(0, 1), with_own(keys, seen_keys), with_own(values, seen_values), heads);
    every_other(result, 1 - parity).copy_(by_frame(apart, branches));
    return result.flatten(0, 1);
}

// Own tokens followed by the anchors' [branches, n, channels].
at::Tensor with_anchors(const at::Tensor &own, const at::Tensor &anchors) {
    const int64_t frames = own.size(0) / anchors.size(0);
    const at::Tensor shared = anchors.unsqueeze(1).expand({-1, frames, -1, -1}).flatten(0, 1);
    return at::cat({own, shared}, 1);
}

// Layer `layer` of a store's list, undefined before anything was recorded.
at::Tensor stored(const std::vector<at::Tensor> &list, size_t layer) { return layer < list.size() ? list[layer] : at::Tensor(); }

void append(std::vector<at::Tensor> &list, size_t layer, const at::Tensor &added) {
    if (list.size() <= layer)
        list.resize(layer + 1);
    list[layer] = list[layer].defined() ? at::cat({list[layer], added}, -2) : added;
}

// Side of the cells whose means stand for an anchor's tokens.
int64_t cell_of(int64_t height, int64_t width) {
    int64_t cell = 1;
    while (((height + cell - 1) / cell) * ((width + cell - 1) / cell) > most_anchor_tokens)
        cell *= 2;
    return cell;
}

// Means over cells, cut off at the right and lower border: [n, h * w, c] -> [n, means, c].
at::Tensor means(const at::Tensor &tokens, int64_t height, int64_t width, int64_t cell) {
    return to_tokens(at::avg_pool2d(to_picture(tokens, height, width), cell, cell, 0, true, false));
}

void remember(AnchorStore &store, const FrameAttention &frames, size_t layer, const at::Tensor &k, const at::Tensor &v) {
    const int64_t branches = frames.branches, height = frames.height, width = frames.width;
    append(store.keys, layer, by_frame(k, branches).flatten(1, 2));
    append(store.values, layer, by_frame(v, branches).flatten(1, 2));
    const int64_t cell = cell_of(height, width);
    if (frames.mode != AttentionMode::flow || cell == 1)
        return;
    append(store.mean_keys, layer, by_frame(means(k, height, width, cell), branches).flatten(1, 2));
    append(store.mean_values, layer, by_frame(means(v, height, width, cell), branches).flatten(1, 2));
    const at::Tensor all = at::ones({1, 1, height, width}, k.options().dtype(at::kFloat)),
                     counts = at::avg_pool2d(all, cell, cell, 0, true, false, 1).flatten().unsqueeze(1);
    append(store.counts, layer, counts.repeat({frames.frames, 1}));
}

// What a pass sees, and how many tokens each stands for, [m], where they are not one each.
struct Seen {
    at::Tensor keys, values, counts;
};

Seen seen_by(const AnchorStore &store, size_t layer, const at::Tensor &k, const at::Tensor &v) {
    if (!stored(store.keys, layer).defined())
        return {k, v, {}};
    const at::Tensor counts = stored(store.counts, layer);
    if (!counts.defined())
        return {with_anchors(k, store.keys[layer]), with_anchors(v, store.values[layer]), {}};
    return {with_anchors(k, store.mean_keys[layer]), with_anchors(v, store.mean_values[layer]),
            at::cat({at::ones({k.size(1)}, counts.options()), counts.flatten()})};
}

// The tokens that the flow leads to: those of the batch's own frames, then, recorded in the store, those of the anchors.
AlignedTokens aligned_tokens(const FrameAttention &frames, const at::Tensor &k, const at::Tensor &v, const at::Tensor &anchor_keys,
                             const at::Tensor &anchor_values) {
    CrossFrames &cross = *frames.cross;
    const FlowField &places = cross.on_grid(frames.height, frames.width);
    const int64_t count = frames.branches * frames.frames, tokens = k.size(1);
    // Of each frame, the picture that a slot looks at: [tokens, channels].
    const auto looked_at = [&](const at::Tensor &of_frames, const at::Tensor &of_anchors, int64_t slot) {
        std::vector<at::Tensor> list;
        const int64_t anchor = slot - cross.neighbour_slots();
        for (int64_t i = 0; i < count; i++) {
            if (anchor >= 0) {
                list.push_back(of_anchors[i / frames.frames].slice(0, anchor * tokens, (anchor + 1) * tokens));
                continue;
            }
            const int64_t frame = i % frames.frames,
                          other = cross.neighbours[static_cast<size_t>(frame * cross.neighbour_slots() + slot)];
            list.push_back(of_frames[i - frame + (other < 0 ? frame : other)]); // nothing is valid where there is none
        }
        return list;
    };
    const auto per_frame = [&](const at::Tensor &of_places, int64_t slot) {
        const at::Tensor own = of_places.select(2, slot).to(k.device());
        return (own.size(0) == frames.branches ? own : own.repeat_interleave(frames.branches, 0)).flatten(0, 1);
    };
    // A token of a coarse grid stands for things that may move apart: it weighs less.
    const double fineness = static_cast<double>(frames.height) / static_cast<double>(cross.places.valid.size(-2));
    AlignedTokens aligned{frames.height, frames.width, {}, cross.weight * std::min(1.0, 2 * fineness)};
    for (int64_t slot = 0; slot < cross.slots(); slot++)
        aligned.slots.push_back({looked_at(k, anchor_keys, slot),
                                 looked_at(v, anchor_values, slot),
                                 {per_frame(places.flow, slot), per_frame(places.valid, slot)}});
    return aligned;
}

} // namespace

at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, const at::Tensor &bias) {
    const at::Tensor result =
        at::scaled_dot_product_attention(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads),
                                         bias.defined() ? std::optional<at::Tensor>(bias.unsqueeze(1)) : std::nullopt);
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
    if (!record && mode == AttentionMode::interleaved)
        return attend_interleaved(q, k, v, heads, branches, static_cast<int64_t>(layer % 2));
    if (!record && mode == AttentionMode::local)
        return local_attention(q, k, v, heads, branches);
    if (!anchors || (!record && mode == AttentionMode::self))
        return attention(q, k, v, heads);

    const Seen seen = seen_by(*anchors, layer, k, v);
    const bool follows = cross && !cross->module && cross->weight > 0 && cross->slots() > 0;
    AlignedTokens aligned;
    if (follows)
        aligned = aligned_tokens(*this, k, v, stored(anchors->keys, layer), stored(anchors->values, layer));
    const at::Tensor result = follows || seen.counts.defined()
                                  ? flow_attention(q, seen.keys, seen.values, heads, aligned, seen.counts)
                                  : attention(q, seen.keys, seen.values, heads);
    if (record)
        remember(*anchors, *this, layer, k, v);
    return result;
}

} // namespace aianime::nn
