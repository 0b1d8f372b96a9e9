// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/flow_gather.h"

namespace aianime::nn {

// What one layer of attention between frames looks at. `n` frames, those of a branch together; width channels; keys and values lie
// behind each other in the last dimension.
struct CrossTokens {
    int64_t height = 0, width = 0; // of the layer's grid, tokens = height * width
    int64_t branches = 1;
    at::Tensor queries; // [n, tokens, channels]
    at::Tensor own;     // [n, tokens, 2 * channels]

    // Aligned candidates come in slots. First those that are frames of the batch: per frame of a branch and slot the frame, of the
    // same branch, that is looked at, -1: none. Then the anchors, each [branches, tokens, 2 * channels].
    std::vector<int64_t> neighbours;
    int64_t neighbour_slots = 0;
    std::vector<at::Tensor> anchors;
    // Where they lie: flow [sets, n / branches, slots, 2, height, width]; one set for all branches or one each.
    FlowField places;

    // The anchors, coarsely, [branches, any, 2 * channels]; undefined where there are none.
    at::Tensor coarse;
};

// Who is looked at, in the order of the rows of `gates`.
enum class CrossKind { own, neighbour, anchor, coarse };
constexpr int64_t cross_kinds = 4;

// For every token one softmax, per head, over its own key, the keys that the flow leads to, and all coarse ones; logits are
// q k / sqrt(d) + gates[kind] + log(valid), less the logarithm of how many anchors, or coarse tokens, there are: their number does
// not change what they weigh together. The result is the weighted mean of values less the own value, [n, tokens, channels]: 0
// where there is nothing else to be seen. gates: float32 [cross_kinds, heads].
at::Tensor cross_attention(const CrossTokens &tokens, const at::Tensor &gates);

} // namespace aianime::nn
