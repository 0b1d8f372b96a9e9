// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "diffusion/prompt_chunks.h"

namespace aianime::diffusion {

struct EncodedPrompt {
    at::Tensor embedding;                // [1, chunks * max_tokens, width], in the encoder's dtype
    int64_t chunks = 1;                  // of max_tokens each, those that fill up included
    int64_t tokens = 0;                  // of the prompt itself, a textual inversion's vectors included
    int64_t truncated = 0;               // tokens beyond max_chunks
    std::vector<std::string> embeddings; // names of the textual inversions that it uses
};

// Turns prompts into what a U-Net is conditioned on. Keeps references to tokenizer and encoder. Thread safety: as ClipText.
class PromptEncoder {
public:
    // 1200 tokens of CLIP.
    static constexpr size_t max_chunks = 16;

    // `clip_skip` as ClipText::forward counts. Throws Error: OUT_OF_RANGE for a clip_skip beyond the encoder's layers, BAD_DATA for
    // an embedding of another width than the encoder's or with more vectors than a chunk holds, and for two of the same name.
    PromptEncoder(const nn::ClipTokenizer &tokenizer, const nn::ClipText &encoder, at::Device device, int64_t clip_skip = 1,
                  std::vector<nn::TextualInversion> embeddings = {});

    // Chunks as chunk_prompt() lays them out, encoded one beside the other and joined along the tokens. Tokens are weighted by
    // scaling their embeddings and restoring each chunk's mean, as the common web UIs do (weight 1 everywhere leaves a chunk
    // untouched). At least `chunks` of them: empty ones follow where the prompt is shorter.
    EncodedPrompt encode(const std::string &prompt, int64_t chunks = 1) const;

    // Tokens of a prompt, a textual inversion's vectors included.
    int64_t count(const std::string &prompt) const { return chunked(prompt).tokens; }

    // Both with as many chunks as the longer one has, so that their embeddings can be rows of one batch.
    struct Pair {
        EncodedPrompt negative, positive;
    };
    Pair encode_pair(const std::string &negative, const std::string &positive) const;

private:
    void check_embedding(const nn::TextualInversion &embedding) const;
    ChunkedPrompt chunked(const std::string &prompt) const;
    EncodedPrompt encode(const ChunkedPrompt &prompt, int64_t chunks) const;
    at::Tensor token_embeddings(const std::vector<PromptChunk> &chunks) const;

    const nn::ClipTokenizer &tokenizer_;
    const nn::ClipText &encoder_;
    at::Device device_;
    int64_t clip_skip_;
    std::vector<nn::TextualInversion> embeddings_;
};

} // namespace aianime::diffusion
