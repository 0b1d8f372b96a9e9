// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "nn/clip_text.h"

namespace aianime::diffusion {

// A piece of a prompt and the weight written around it, in the notation of the common web UIs: "(word:1.2)", "(word)" = 1.1,
// "[word]" = 1/1.1, nested ones multiply; "\(" is a parenthesis, "\\" a backslash.
struct WeightedText {
    std::string text;
    double weight;
};

// Never throws. A bracket that is never closed weighs all that follows, a closing one without an opening one is text, as users of
// this notation expect; brackets nested deeper than 100 are text. Neighbours of the same weight are one piece; an empty prompt is
// one empty piece.
std::vector<WeightedText> parse_prompt(const std::string &prompt);

struct EncodedPrompt {
    at::Tensor embedding;  // [1, max_tokens, width]
    int64_t tokens = 0;    // of the prompt itself
    int64_t truncated = 0; // tokens that did not fit
};

// Start token, the pieces' tokens as far as they fit, end token, padding. Tokens are weighted by scaling their embeddings and
// restoring the mean of the whole, as the common web UIs do (weight 1 everywhere leaves the embedding untouched). The result has
// the encoder's dtype.
EncodedPrompt encode_prompt(const std::string &prompt, const nn::ClipTokenizer &tokenizer, const nn::ClipText &encoder,
                            at::Device device);

} // namespace aianime::diffusion
