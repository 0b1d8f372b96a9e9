// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/prompt_chunks.h"

#include <algorithm>

#include "diffusion/prompt.h"
#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letters(const std::string &text, size_t at, const std::string &name) {
    return text.size() - at >= name.size() && std::equal(name.begin(), name.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                                                         [](char a, char b) { return lower(a) == lower(b); });
}

// Whether `name` stands at `at` and neither continues a word nor is continued.
bool stands_at(const std::string &text, size_t at, const std::string &name) {
    const size_t end = at + name.size();
    return same_letters(text, at, name) && !(at > 0 && is_word(name.front()) && is_word(text[at - 1])) &&
           !(end < text.size() && is_word(name.back()) && is_word(text[end]));
}

class Layout {
public:
    Layout(const nn::ClipTokenizer &tokenizer, size_t max_tokens, size_t max_chunks,
           const std::vector<nn::TextualInversion> &embeddings)
        : tokenizer_(tokenizer), max_tokens_(max_tokens), max_chunks_(max_chunks), embeddings_(embeddings) {
        for (size_t i = 0; i < embeddings.size(); ++i)
            by_length_.push_back(i);
        std::stable_sort(by_length_.begin(), by_length_.end(),
                         [&embeddings](size_t a, size_t b) { return embeddings[a].name.size() > embeddings[b].name.size(); });
        next_chunk();
    }

    ChunkedPrompt run(const std::string &prompt) {
        for (const WeightedText &piece : parse_prompt(prompt)) {
            if (piece.starts_chunk)
                next_chunk();
            add_text(piece.text, static_cast<float>(piece.weight));
        }
        if (result_.chunks.size() > 1 && result_.chunks.back().ids.size() == 1)
            result_.chunks.pop_back();
        for (PromptChunk &chunk : result_.chunks)
            close(chunk);
        return std::move(result_);
    }

private:
    void close(PromptChunk &chunk) const {
        chunk.ids.push_back(tokenizer_.eos());
        chunk.ids.resize(max_tokens_, tokenizer_.pad());
        chunk.weights.resize(max_tokens_, 1);
    }

    // Everything between two embeddings is tokenized as one text.
    void add_text(const std::string &text, float weight) {
        size_t begin = 0;
        for (size_t at = 0; at < text.size();) {
            const auto found = std::find_if(by_length_.begin(), by_length_.end(),
                                            [&](size_t i) { return stands_at(text, at, embeddings_[i].name); });
            if (found == by_length_.end()) {
                ++at;
                continue;
            }
            add_tokens(text.substr(begin, at - begin), weight);
            add_vectors(*found, weight);
            at += embeddings_[*found].name.size();
            begin = at;
        }
        add_tokens(text.substr(begin), weight);
    }

    void add_tokens(const std::string &text, float weight) {
        for (int64_t token : tokenizer_.encode(text))
            if (make_room(1))
                add(token, weight);
    }

    void add_vectors(size_t embedding, float weight) {
        const int64_t count = embeddings_[embedding].vectors.size(0);
        if (!make_room(count))
            return;
        PromptChunk &chunk = result_.chunks.back();
        chunk.vectors.push_back({static_cast<int64_t>(chunk.ids.size()), embedding});
        for (int64_t i = 0; i < count; ++i)
            add(tokenizer_.pad(), weight);
        std::vector<size_t> &used = result_.embeddings;
        if (std::find(used.begin(), used.end(), embedding) == used.end())
            used.push_back(embedding);
    }

    void add(int64_t token, float weight) {
        result_.chunks.back().ids.push_back(token);
        result_.chunks.back().weights.push_back(weight);
    }

    // Whether `count` tokens that stay together can be added.
    bool make_room(int64_t count) {
        result_.tokens += count;
        const auto needed = static_cast<size_t>(count) + 1; // the end token follows
        if (!full_ && result_.chunks.back().ids.size() + needed > max_tokens_)
            next_chunk();
        if (full_)
            result_.truncated += count;
        return !full_;
    }

    void next_chunk() {
        full_ = full_ || result_.chunks.size() == max_chunks_;
        if (!full_)
            result_.chunks.push_back({{tokenizer_.bos()}, {1}, {}});
    }

    const nn::ClipTokenizer &tokenizer_;
    size_t max_tokens_, max_chunks_;
    const std::vector<nn::TextualInversion> &embeddings_;
    std::vector<size_t> by_length_; // indices of embeddings_, longest name first
    bool full_ = false;
    ChunkedPrompt result_;
};

} // namespace

ChunkedPrompt chunk_prompt(const std::string &prompt, const nn::ClipTokenizer &tokenizer, size_t max_tokens, size_t max_chunks,
                           const std::vector<nn::TextualInversion> &embeddings) {
    return Layout(tokenizer, max_tokens, max_chunks, embeddings).run(prompt);
}

PromptChunk empty_chunk(const nn::ClipTokenizer &tokenizer, size_t max_tokens) {
    return chunk_prompt("", tokenizer, max_tokens, 1, {}).chunks.front();
}

} // namespace aianime::diffusion
