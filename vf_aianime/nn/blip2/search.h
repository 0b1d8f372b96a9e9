// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace aianime::nn {

// How a language model goes on after a prompt, as transformers' generate() with the same names does without sampling.
struct SearchSettings {
    enum class EarlyStopping { no, yes, never };

    int64_t beams = 5; // 1: always the likeliest token
    int64_t max_new_tokens = 30;
    int64_t min_new_tokens = 1;    // before which no sentence ends; transformers' default is 0
    double length_penalty = 1;     // of beams: a sentence's score is its log probability by its length to this power
    double repetition_penalty = 1; // above 1: tokens that are there already, in the prompt too, become unlikelier
    EarlyStopping early_stopping = EarlyStopping::no; // of beams: whether the search ends when as many sentences have ended
    std::vector<int64_t> eos = {};                    // tokens that end a sentence

    // Throws Error (OUT_OF_RANGE) naming the setting.
    void check() const;
};

// What a search asks: a language model that stands behind a prompt, with a number of rows, at first one.
class Continuation {
public:
    virtual ~Continuation() = default;
    // Logits of the token after the prompt, [1, vocabulary].
    virtual at::Tensor first() = 0;
    // Row i becomes what row rows[i] was, followed by tokens[i]. Logits of the tokens after that, [rows, vocabulary].
    virtual at::Tensor next(const std::vector<int64_t> &rows, const std::vector<int64_t> &tokens) = 0;
};

// The best sentence's tokens, with the token that ended it. `prompt`: tokens that count for the repetition penalty.
// Throws Error (NOT_FINITE) where the model's numbers are not finite.
std::vector<int64_t> search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings);

// The parts of search(): beams >= 2 and beams == 1, the steps of both.
std::vector<int64_t> beam_search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings);
std::vector<int64_t> greedy_search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings);

// Logits or log probabilities, [vocabulary], float32 on the CPU, changed in place by what `settings` asks for after `sentence`.
void apply_penalties(const at::Tensor &scores, const std::vector<int64_t> &prompt, const std::vector<int64_t> &sentence,
                     const SearchSettings &settings);

// float32, contiguous, on the CPU. Throws Error (NOT_FINITE).
at::Tensor finite_scores(const at::Tensor &logits);

} // namespace aianime::nn
