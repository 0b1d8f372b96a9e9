// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace aianime::nn {

// cross_attention of a frame on the CPU, in one go for every token, so that nothing that has been gathered is ever stored. Plain
// memory; `Number` is float, or uint16_t for bfloat16. A head must be a multiple of 4 channels wide, all heads of 8.
template <typename Number>
struct CrossFrame {
    int64_t height = 0, width = 0;
    int64_t heads = 1, channels = 0;
    const Number *queries = nullptr; // [tokens, channels]
    const Number *own = nullptr;     // [tokens, 2 * channels]
    struct Slot {
        const Number *source; // [tokens, 2 * channels], null where there is none
        const float *flow;    // [2, tokens]
        const float *valid;   // [tokens]
        const float *bias;    // [heads]: what is added to the products; validity counts besides
    };
    std::vector<Slot> slots;
    const float *own_bias = nullptr;      // [heads]
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
