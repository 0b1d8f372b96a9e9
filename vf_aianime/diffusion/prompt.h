// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "nn/clip_text.h"

namespace aianime::diffusion {

// A piece of a prompt and the weight written around it: "(word:1.2)", "(word)" = 1.1, "[word]" = 1/1.1, nested; "\(" is a
// parenthesis.
struct WeightedText {
    std::string text;
    double weight;
};

// Never throws: unbalanced brackets are text, as users of this notation expect.
std::vector<WeightedText> parse_prompt(const std::string &prompt);

struct EncodedPrompt {
    at::Tensor embedding;  // [1, max_tokens, width]
    int64_t tokens = 0;    // of the prompt itself
    int64_t truncated = 0; // tokens that did not fit
};

// Tokens are weighted by scaling their embeddings and restoring the chunk's mean, as the common web UIs do (weight 1 everywhere
// leaves the embedding untouched). `width` of the embedding in the encoder's dtype.
EncodedPrompt encode_prompt(const std::string &prompt, const nn::ClipTokenizer &tokenizer, const nn::ClipText &encoder,
                            at::Device device);

} // namespace aianime::diffusion
