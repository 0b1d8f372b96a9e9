// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/search.h"

#include <algorithm>
#include <limits>
#include <set>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

void check_range(const char *name, double value, double min, double max) {
    if (!(value >= min && value <= max))
        throw Error(AIANIME_OUT_OF_RANGE, std::string("caption: ") + name + " is not from " + at::str(min) + " to " + at::str(max));
}

} // namespace

void SearchSettings::check() const {
    check_range("beams", static_cast<double>(beams), 1, 32);
    check_range("max_new_tokens", static_cast<double>(max_new_tokens), 1, 512);
    check_range("min_new_tokens", static_cast<double>(min_new_tokens), 0, static_cast<double>(max_new_tokens));
    check_range("length_penalty", length_penalty, -10, 10);
    check_range("repetition_penalty", repetition_penalty, 0.1, 10);
}

void apply_penalties(const at::Tensor &scores, const std::vector<int64_t> &prompt, const std::vector<int64_t> &sentence,
                     const SearchSettings &settings) {
    auto *values = scores.data_ptr<float>();
    if (settings.repetition_penalty != 1) {
        std::set<int64_t> there(prompt.begin(), prompt.end());
        there.insert(sentence.begin(), sentence.end());
        const auto penalty = static_cast<float>(settings.repetition_penalty);
        for (const int64_t token : there)
            if (token < scores.size(0))
                values[token] = values[token] < 0 ? values[token] * penalty : values[token] / penalty;
    }
    if (static_cast<int64_t>(sentence.size()) < settings.min_new_tokens)
        for (const int64_t token : settings.eos)
            if (token < scores.size(0))
                values[token] = -std::numeric_limits<float>::infinity();
}

at::Tensor finite_scores(const at::Tensor &logits) {
    const at::Tensor scores = logits.to(at::kCPU, at::kFloat).contiguous();
    if (!scores.isfinite().all().item<bool>())
        throw Error(AIANIME_NOT_FINITE, "language model: its numbers are not finite; try float32");
    return scores;
}

std::vector<int64_t> greedy_search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings) {
    std::vector<int64_t> sentence;
    at::Tensor logits = model.first();
    for (;;) {
        const at::Tensor scores = finite_scores(logits)[0];
        apply_penalties(scores, prompt, sentence, settings);
        const int64_t token = scores.argmax().item<int64_t>();
        sentence.push_back(token);
        const bool ends = std::count(settings.eos.begin(), settings.eos.end(), token) != 0;
        if (ends || static_cast<int64_t>(sentence.size()) == settings.max_new_tokens)
            return sentence;
        logits = model.next({0}, {token});
    }
}

std::vector<int64_t> search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings) {
    settings.check();
    return settings.beams == 1 ? greedy_search(model, prompt, settings) : beam_search(model, prompt, settings);
}

} // namespace aianime::nn
