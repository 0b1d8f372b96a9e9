// SPDX-License-Identifier: LGPL-2.1-or-later
// transformers' GenerationMixin._beam_search for one prompt.
#include <algorithm>
#include <cmath>

#include "nn/aten.h"
#include "nn/blip2/search.h"

namespace aianime::nn {

namespace {

using EarlyStopping = SearchSettings::EarlyStopping;

struct Beam {
    std::vector<int64_t> sentence;
    float score = 0; // the log probability; of one that has ended, by its length
    int64_t row = 0; // of the model, that it went on from
};

class Beams {
public:
    Beams(const std::vector<int64_t> &prompt, const SearchSettings &settings)
        : prompt_(prompt), settings_(settings), beams_(static_cast<size_t>(settings.beams)), running_(1) {}

    // One token more for every beam that goes on; false when the search is over. logits: [rows, vocabulary], one row a beam.
    bool step(const at::Tensor &logits) {
        const std::vector<Beam> candidates = best_candidates(logits);
        running_.clear();
        bool any_goes_on = false;
        for (size_t i = 0; i < candidates.size(); ++i) {
            const bool ends = has_ended(candidates[i]);
            any_goes_on |= !ends;
            // Those behind the first ones are there to go on in place of beams that ended.
            if (ends && i < beams_)
                add_ended(candidates[i]);
            if (!ends && running_.size() < beams_)
                running_.push_back(candidates[i]);
        }
        const bool full = ended_.size() == beams_;
        return any_goes_on && may_improve() && !(full && settings_.early_stopping == EarlyStopping::yes);
    }

    const std::vector<Beam> &running() const { return running_; }
    const std::vector<int64_t> &best() const { return ended_.front().sentence; }

private:
    // By score, the best first; enough for every beam to go on though each might end in every way there is.
    std::vector<Beam> best_candidates(const at::Tensor &logits) const {
        const at::Tensor scores = at::log_softmax(finite_scores(logits), -1);
        for (size_t i = 0; i < running_.size(); ++i) {
            const at::Tensor row = scores[static_cast<int64_t>(i)];
            apply_penalties(row, prompt_, running_[i].sentence, settings_);
            row.add_(running_[i].score);
        }
        const int64_t vocabulary = scores.size(1);
        const auto ways = static_cast<int64_t>(std::max<size_t>(2, 1 + settings_.eos.size()));
        const int64_t count = std::min(ways * settings_.beams, scores.numel());
        const auto [values, places] = at::topk(scores.flatten(), count);
        std::vector<Beam> candidates;
        for (int64_t i = 0; i < count; ++i) {
            const int64_t place = places[i].item<int64_t>(), row = place / vocabulary;
            candidates.push_back({running_[static_cast<size_t>(row)].sentence, values[i].item<float>(), row});
            candidates.back().sentence.push_back(place % vocabulary);
        }
        return candidates;
    }

    bool has_ended(const Beam &beam) const {
        const bool said = std::count(settings_.eos.begin(), settings_.eos.end(), beam.sentence.back()) != 0;
        return said || static_cast<int64_t>(beam.sentence.size()) >= settings_.max_new_tokens;
    }

    float by_length(float score, int64_t length) const {
        return score / static_cast<float>(std::pow(static_cast<double>(length), settings_.length_penalty));
    }

    void add_ended(Beam beam) {
        beam.score = by_length(beam.score, static_cast<int64_t>(beam.sentence.size()));
        const auto place =
            std::find_if(ended_.begin(), ended_.end(), [&beam](const Beam &other) { return other.score < beam.score; });
        ended_.insert(place, std::move(beam));
        ended_.resize(std::min(ended_.size(), beams_));
    }

    // Whether the best running beam could still be better than the worst that has ended.
    bool may_improve() const {
        if (running_.empty())
            return false;
        if (ended_.size() < beams_)
            return true;
        const bool longest = settings_.early_stopping == EarlyStopping::never && settings_.length_penalty > 0;
        const auto length = longest ? settings_.max_new_tokens : static_cast<int64_t>(running_.front().sentence.size());
        return by_length(running_.front().score, length) > ended_.back().score;
    }

    const std::vector<int64_t> &prompt_;
    const SearchSettings &settings_;
    size_t beams_;
    std::vector<Beam> running_; // by score, the best first; at first the prompt alone
    std::vector<Beam> ended_;   // likewise
};

} // namespace

std::vector<int64_t> beam_search(Continuation &model, const std::vector<int64_t> &prompt, const SearchSettings &settings) {
    Beams beams(prompt, settings);
    at::Tensor logits = model.first();
    while (beams.step(logits)) {
        std::vector<int64_t> rows, tokens;
        for (const Beam &beam : beams.running()) {
            rows.push_back(beam.row);
            tokens.push_back(beam.sentence.back());
        }
        logits = model.next(rows, tokens);
    }
    return beams.best();
}

} // namespace aianime::nn
