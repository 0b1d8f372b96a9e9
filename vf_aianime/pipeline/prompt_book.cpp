// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/prompt_book.h"

#include <algorithm>
#include <set>

#include "diffusion/prompt_chunks.h"
#include "nn/aten.h"
#include "nn/textual_inversion.h"

namespace aianime::pipeline {

namespace {

std::vector<nn::TextualInversion> embeddings_of(const Settings &settings) {
    std::vector<nn::TextualInversion> embeddings;
    for (const EmbeddingSettings &embedding : settings.embeddings) {
        embeddings.push_back(nn::load_textual_inversion(embedding.file));
        if (!embedding.name.empty())
            embeddings.back().name = embedding.name;
    }
    return embeddings;
}

} // namespace

PromptBook::PromptBook(const Models &models, const Settings &settings, const Watch &watch)
    : models_(models), settings_(settings), watch_(watch),
      encoder_(models.tokenizer(), models.text_encoder(), models.device(), settings.style.clip_skip, embeddings_of(settings)) {}

const diffusion::EncodedPrompt &PromptBook::look_up(const std::string &text, int64_t chunks) {
    const auto found = known_.find(text);
    if (found != known_.end() && found->second.chunks == chunks)
        return found->second;
    const bool is_new = found == known_.end();
    diffusion::EncodedPrompt &encoded = known_[text] = encoder_.encode(text, chunks);
    if (is_new && encoded.truncated > 0)
        watch_.log(AIANIME_LOG_WARNING, std::string(text == settings_.style.negative ? "negative" : "positive") +
                                            " prompt: " + std::to_string(encoded.truncated) + " of " +
                                            std::to_string(encoded.tokens) + " tokens do not fit and are left out");
    return encoded;
}

at::Tensor PromptBook::words(const std::string &text) {
    at::Tensor &words = words_[text];
    if (!words.defined()) {
        const diffusion::EncodedPrompt encoded = encoder_.encode(text);
        const int64_t chunk = encoded.embedding.size(1) / encoded.chunks, end = std::min(encoded.tokens + 2, chunk);
        words = encoded.embedding[0].slice(0, 1, end).to(models_.dtype()); // without the start token, which tells nothing of them
    }
    return words;
}

PromptBook::Page PromptBook::encode(const std::vector<std::vector<WeightedPrompt>> &frames) {
    const bool guided = settings_.guidance > 1;
    std::set<std::string> texts;
    for (const std::vector<WeightedPrompt> &frame : frames)
        for (const WeightedPrompt &prompt : frame)
            texts.insert(prompt.text);
    if (guided)
        texts.insert(settings_.style.negative);
    for (auto known = known_.begin(); known != known_.end();)
        known = texts.count(known->first) ? std::next(known) : known_.erase(known);
    int64_t chunks = 1;
    for (const std::string &text : texts)
        chunks = std::max(chunks, look_up(text, 1).chunks);

    Page page;
    for (const std::vector<WeightedPrompt> &frame : frames) {
        at::Tensor sum;
        for (const WeightedPrompt &prompt : frame) {
            const at::Tensor part = look_up(prompt.text, chunks).embedding * prompt.weight;
            sum = sum.defined() ? sum + part : part;
        }
        page.frames.push_back(sum.to(models_.dtype()));
    }
    if (guided)
        page.negative = look_up(settings_.style.negative, chunks).embedding.to(models_.dtype());
    return page;
}

} // namespace aianime::pipeline
