// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/prompt_encoder.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

bool is_plain(const PromptChunk &chunk) {
    return std::all_of(chunk.weights.begin(), chunk.weights.end(), [](float weight) { return std::abs(weight - 1) < 1e-7f; });
}

// Scaled by a weight for each token, then as a whole so that the mean is what it was.
at::Tensor weighted(const at::Tensor &embedding, const std::vector<float> &weights) {
    const at::Tensor wide = embedding.to(at::kFloat);
    const at::Tensor scale = at::tensor(weights, at::kFloat).to(embedding.device()).unsqueeze(1);
    const at::Tensor scaled = wide * scale;
    const double ratio = wide.mean().item<double>() / scaled.mean().item<double>();
    return (std::isfinite(ratio) ? scaled * ratio : scaled).to(embedding.scalar_type());
}

// What a width tells of the model an embedding was made for.
std::string family(int64_t width) {
    return width == 768 ? " (Stable Diffusion 1.x)" : width == 1024 ? " (Stable Diffusion 2.x)" : "";
}

} // namespace

PromptEncoder::PromptEncoder(const nn::ClipTokenizer &tokenizer, const nn::ClipText &encoder, at::Device device, int64_t clip_skip,
                             std::vector<nn::TextualInversion> embeddings)
    : tokenizer_(tokenizer), encoder_(encoder), device_(device), clip_skip_(clip_skip), embeddings_(std::move(embeddings)) {
    encoder.check_clip_skip(clip_skip);
    for (const nn::TextualInversion &embedding : embeddings_)
        check_embedding(embedding);
}

void PromptEncoder::check_embedding(const nn::TextualInversion &embedding) const {
    const int64_t vectors = embedding.vectors.size(0), width = embedding.vectors.size(1), room = encoder_.max_tokens() - 2;
    if (width != encoder_.width())
        throw Error(AIANIME_BAD_DATA, embedding.file + ": the embedding is made for a text encoder of width " +
                                          std::to_string(width) + family(width) + ", this one has " +
                                          std::to_string(encoder_.width()) + family(encoder_.width()) +
                                          "; use an embedding made for this model");
    if (vectors > room)
        throw Error(AIANIME_BAD_DATA, embedding.file + ": the embedding has " + std::to_string(vectors) + " vectors, at most " +
                                          std::to_string(room) + " fit into a prompt's chunk");
    for (const nn::TextualInversion &other : embeddings_)
        if (&other != &embedding && other.name == embedding.name)
            throw Error(AIANIME_BAD_DATA, embedding.file + ": another embedding, " + other.file + ", has the same name " +
                                              io::quoted(embedding.name) + "; leave one out or rename a file");
}

EncodedPrompt PromptEncoder::encode(const std::string &prompt, int64_t chunks) const { return encode(chunked(prompt), chunks); }

PromptEncoder::Pair PromptEncoder::encode_pair(const std::string &negative, const std::string &positive) const {
    const ChunkedPrompt first = chunked(negative), second = chunked(positive);
    const auto chunks = static_cast<int64_t>(std::max(first.chunks.size(), second.chunks.size()));
    return {encode(first, chunks), encode(second, chunks)};
}

ChunkedPrompt PromptEncoder::chunked(const std::string &prompt) const {
    return chunk_prompt(prompt, tokenizer_, static_cast<size_t>(encoder_.max_tokens()), max_chunks, embeddings_);
}

EncodedPrompt PromptEncoder::encode(const ChunkedPrompt &prompt, int64_t chunks) const {
    std::vector<PromptChunk> all = prompt.chunks;
    const auto max_tokens = static_cast<size_t>(encoder_.max_tokens());
    if (static_cast<int64_t>(all.size()) < chunks)
        all.resize(static_cast<size_t>(chunks), empty_chunk(tokenizer_, max_tokens));

    const at::Tensor hidden = encoder_.encode(token_embeddings(all), clip_skip_);
    std::vector<at::Tensor> parts = hidden.unbind(0);
    for (size_t i = 0; i < all.size(); ++i)
        if (!is_plain(all[i]))
            parts[i] = weighted(parts[i], all[i].weights);

    EncodedPrompt result;
    result.embedding = at::cat(parts, 0).unsqueeze(0);
    result.chunks = static_cast<int64_t>(all.size());
    result.tokens = prompt.tokens;
    result.truncated = prompt.truncated;
    for (size_t used : prompt.embeddings)
        result.embeddings.push_back(embeddings_[used].name);
    return result;
}

at::Tensor PromptEncoder::token_embeddings(const std::vector<PromptChunk> &chunks) const {
    std::vector<int64_t> ids;
    for (const PromptChunk &chunk : chunks)
        ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
    const at::Tensor rows = at::tensor(ids, at::kLong).view({static_cast<int64_t>(chunks.size()), -1}).to(device_);
    at::Tensor tokens = encoder_.token_embeddings(rows);
    for (size_t i = 0; i < chunks.size(); ++i)
        for (const PlacedVectors &placed : chunks[i].vectors) {
            const at::Tensor &vectors = embeddings_[placed.embedding].vectors;
            tokens.select(0, static_cast<int64_t>(i)).slice(0, placed.position, placed.position + vectors.size(0)).copy_(vectors);
        }
    return tokens;
}

} // namespace aianime::diffusion
