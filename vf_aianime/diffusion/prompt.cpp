// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/prompt.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "nn/aten.h"

namespace aianime::diffusion {

namespace {

// Keeps hostile prompts cheap; brackets nested deeper are text.
constexpr size_t max_depth = 100;
constexpr double round_weight = 1.1;
constexpr double square_weight = 1 / 1.1;

// Products of bracket weights are not exact.
bool same(double a, double b) { return std::abs(a - b) < 1e-9; }

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Reads a prompt from left to right; brackets remember the piece at which they opened.
class Parser {
public:
    explicit Parser(const std::string &text) : text_(text) {}

    std::vector<WeightedText> run() {
        while (at_ < text_.size())
            next();
        for (size_t opened : round_)
            weigh_from(opened, round_weight);
        for (size_t opened : square_)
            weigh_from(opened, square_weight);
        return merged();
    }

private:
    void next() {
        const char c = text_[at_];
        if (c == '\\')
            return escape();
        std::vector<size_t> &opened = c == '(' ? round_ : square_;
        if ((c == '(' || c == '[') && opened.size() < max_depth) {
            opened.push_back(pieces_.size());
            ++at_;
            return;
        }
        if (c == ':' && !round_.empty())
            if (const std::optional<double> weight = explicit_weight())
                return close(round_, *weight);
        if (c == ')' && !round_.empty()) {
            ++at_;
            return close(round_, round_weight);
        }
        if (c == ']' && !square_.empty()) {
            ++at_;
            return close(square_, square_weight);
        }
        const size_t end = std::min(text_.find_first_of("\\()[]:", at_ + 1), text_.size());
        add(text_.substr(at_, end - at_));
        at_ = end;
    }

    // A backslash makes the bracket or backslash after it plain text, and vanishes.
    void escape() {
        ++at_;
        if (at_ < text_.size() && std::string("()[]\\").find(text_[at_]) != std::string::npos)
            add(std::string(1, text_[at_++]));
    }

    // ": 1.2)" at this place; goes behind it.
    std::optional<double> explicit_weight() {
        size_t i = at_ + 1;
        const auto skip_blanks = [&] {
            while (i < text_.size() && is_blank(text_[i]))
                ++i;
        };
        skip_blanks();
        const bool plus = i < text_.size() && text_[i] == '+';
        const char *begin = text_.data() + i + plus;
        double weight = 0;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), weight, std::chars_format::fixed);
        if (error != std::errc() || !std::isfinite(weight) || (plus && *begin == '-'))
            return {};
        i = static_cast<size_t>(end - text_.data());
        skip_blanks();
        if (i >= text_.size() || text_[i] != ')')
            return {};
        at_ = i + 1;
        return weight;
    }

    void close(std::vector<size_t> &brackets, double weight) {
        weigh_from(brackets.back(), weight);
        brackets.pop_back();
    }

    void weigh_from(size_t piece, double weight) {
        for (; piece < pieces_.size(); ++piece)
            pieces_[piece].weight *= weight;
    }

    void add(const std::string &text) { pieces_.push_back({text, 1.0}); }

    std::vector<WeightedText> merged() const {
        std::vector<WeightedText> result;
        for (const WeightedText &piece : pieces_)
            if (!result.empty() && same(result.back().weight, piece.weight))
                result.back().text += piece.text;
            else
                result.push_back(piece);
        if (result.empty())
            result.push_back({"", 1.0});
        return result;
    }

    const std::string &text_;
    size_t at_ = 0;
    std::vector<WeightedText> pieces_;
    std::vector<size_t> round_, square_; // pieces at which brackets that are still open began
};

// Scaled by a weight for each token, then as a whole so that the mean is what it was.
at::Tensor weighted(const at::Tensor &embedding, const std::vector<float> &weights) {
    const at::Tensor wide = embedding.to(at::kFloat);
    const at::Tensor scale = at::tensor(weights, at::kFloat).to(embedding.device()).view({1, -1, 1});
    const at::Tensor scaled = wide * scale;
    const double ratio = wide.mean().item<double>() / scaled.mean().item<double>();
    return (std::isfinite(ratio) ? scaled * ratio : scaled).to(embedding.scalar_type());
}

} // namespace

std::vector<WeightedText> parse_prompt(const std::string &prompt) { return Parser(prompt).run(); }

EncodedPrompt encode_prompt(const std::string &prompt, const nn::ClipTokenizer &tokenizer, const nn::ClipText &encoder,
                            at::Device device) {
    const auto length = static_cast<size_t>(encoder.max_tokens());
    std::vector<int64_t> ids = {tokenizer.bos()};
    std::vector<float> weights = {1};
    bool plain = true;
    EncodedPrompt result;
    for (const WeightedText &piece : parse_prompt(prompt))
        for (int64_t token : tokenizer.encode(piece.text)) {
            ++result.tokens;
            if (ids.size() + 1 >= length) {
                ++result.truncated;
                continue;
            }
            ids.push_back(token);
            weights.push_back(static_cast<float>(piece.weight));
            plain = plain && same(piece.weight, 1);
        }
    ids.push_back(tokenizer.eos());
    ids.resize(length, tokenizer.pad());
    weights.resize(length, 1);

    const at::Tensor embedding = encoder.forward(at::tensor(ids, at::kLong).unsqueeze(0).to(device));
    result.embedding = plain ? embedding : weighted(embedding, weights);
    return result;
}

} // namespace aianime::diffusion
