// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace aianime::nn {

// cross_attention, or the aligned part of flow_attention, of a frame on the CPU, in one go for every token, so that nothing that
// has been gathered is ever stored. Plain memory; `Number` is float, or uint16_t for bfloat16. A head must be a multiple of 4
// channels wide, all heads of 8.
template <typename Number>
struct CrossFrame {
    int64_t height = 0, width = 0;
    int64_t heads = 1, channels = 0;
    const Number *queries = nullptr; // [tokens, channels]
    // Either the frame's own keys and values behind each other, [tokens, 2 * channels]: the result is the mean less the own value.
    const Number *own = nullptr;
    const float *own_bias = nullptr; // [heads]
    // Or what has been seen before: the mean of its values, [tokens, channels], and the logarithm of the sum of its logits'
    // exponentials, [tokens, heads]. The result is the mean of all.
    const Number *mean = nullptr;
    const float *log_sum = nullptr;
    struct Slot {
        const Number *keys;   // [tokens, channels], a token every `stride` numbers; null where there is none
        const Number *values; // likewise
        int64_t stride;
        const float *flow;  // [2, tokens]
        const float *valid; // [tokens]
        const float *bias;  // [heads]: what is added to the products; validity counts besides
    };
    std::vector<Slot> slots;
    int64_t coarse = 0;                   // tokens
    const float *coarse_keys = nullptr;   // [channels, coarse up to the next multiple of 8], 0 beyond
    const float *coarse_values = nullptr; // [coarse, channels]
    const float *coarse_bias = nullptr;   // [heads]
};

// Frames of one shape, on as many threads as LibTorch takes; the result does not depend on their number. out: [frames, tokens,
// channels].
void cross_tokens(const std::vector<CrossFrame<float>> &frames, float *out);
void cross_tokens(const std::vector<CrossFrame<uint16_t>> &frames, uint16_t *out);

} // namespace aianime::nn
