// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/clip_text.h"
#include "nn/textual_inversion.h"

namespace aianime::diffusion {

// Vectors of a textual inversion in a chunk.
struct PlacedVectors {
    int64_t position; // of the first one
    size_t embedding; // index
};

// What the text encoder sees at once: start token, up to max_tokens - 2 tokens, end token, padding.
struct PromptChunk {
    std::vector<int64_t> ids;
    std::vector<float> weights;
    std::vector<PlacedVectors> vectors;
};

struct ChunkedPrompt {
    std::vector<PromptChunk> chunks; // at least one
    int64_t tokens = 0;              // of the prompt itself, a vector counts as one
    int64_t truncated = 0;           // of these, beyond the last chunk
    std::vector<size_t> embeddings;  // those used, each once, in order of appearance
};

// Lays a prompt out as the common web UIs do. A new chunk begins where one is full and at every BREAK (a second BREAK in a row
// leaves an empty chunk, one at the very end adds none); an embedding's vectors are never split over two. Names of embeddings are
// found where they stand as words of their own, upper and lower case alike, the longest first. What does not fit into `max_chunks`
// is left out.
ChunkedPrompt chunk_prompt(const std::string &prompt, const nn::ClipTokenizer &tokenizer, size_t max_tokens, size_t max_chunks,
                           const std::vector<nn::TextualInversion> &embeddings);

// A chunk without a word.
PromptChunk empty_chunk(const nn::ClipTokenizer &tokenizer, size_t max_tokens);

} // namespace aianime::diffusion
