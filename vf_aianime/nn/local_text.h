// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/place_masks.h"

namespace aianime::nn {

// Words that only some places of a picture read: who somebody is (nn/identity_tokens.h) and what they do, where that person's face
// is. They stand behind the text in the softmax of every cross-attention layer, their logits raised by log(mask): outside the mask
// they are not there, where it is 1 they are words like the others.
struct LocalText {
    at::Tensor tokens;            // [tokens, width], of all entries one after the other; the same for all pictures
    std::vector<int64_t> lengths; // tokens of each entry
    at::Tensor masks;             // float32 [batch, entries, H, W], in [0, 1] times a weight; of any size

    bool any() const { return tokens.defined() && tokens.numel() > 0; }
};

// What one layer reads of it.
struct LocalKeys {
    at::Tensor keys, values; // [1, tokens, channels]; undefined: nothing
    at::Tensor bias;         // [batch, grid tokens, tokens], added to the logits
};

// A forward pass's, whose layers have different grids.
class LocalWords {
public:
    explicit LocalWords(const LocalText &text) : tokens_(text.tokens), lengths_(text.lengths), masks_(text.masks) {}

    // [1, tokens, width]
    at::Tensor tokens() const;
    // [batch, height * width, tokens]
    at::Tensor bias(int64_t height, int64_t width);

private:
    at::Tensor tokens_;
    std::vector<int64_t> lengths_;
    PlaceMasks masks_;
};

} // namespace aianime::nn
