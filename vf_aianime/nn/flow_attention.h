// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/flow_gather.h"

namespace aianime::nn {

// One picture for each of n frames to look at.
struct AlignedSlot {
    std::vector<at::Tensor> keys, values; // the pictures', [tokens, channels] each
    FlowField places; // where the frame's tokens lie there, flow [n, 2, height, width], valid [n, height, width]
};

// Tokens of other frames that lie where the optical flow leads, in one layer.
struct AlignedTokens {
    int64_t height = 0, width = 0; // of the layer's grid, tokens = height * width
    std::vector<AlignedSlot> slots;
    // All slots together weigh so much as all other tokens where every logit is the same; above 0.
    double weight = 1;
};

// Attention that sees all of k and v [n, m, channels] and besides, for every query, the tokens that the flow leads it to, in one
// softmax per head: their logits are q k / sqrt(d) + log(weight M / slots) + log(valid). q [n, tokens, channels] -> the same. No
// tokens x m matrix is kept. Without slots, or where nothing is valid, it is plain attention.
// counts: float32 [m], how many tokens each of k and v stands for, whose logarithm is added to its logit; M is their sum.
// Undefined: one each.
at::Tensor flow_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads,
                          const AlignedTokens &aligned, const at::Tensor &counts = {});

// Attention of the frames of windows, [branches * frames, tokens, channels] each: a query sees all tokens of its own frame and
// those at its own place in all other frames of its branch, in one softmax per head. No tokens x tokens matrix is kept.
at::Tensor local_attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, int64_t branches);

} // namespace aianime::nn
