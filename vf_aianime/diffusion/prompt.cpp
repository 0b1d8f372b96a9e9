// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/prompt.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace aianime::diffusion {

bool is_word(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & '\x80');
}

namespace {

// Keeps hostile prompts cheap; brackets nested deeper are text.
constexpr size_t max_depth = 100;
constexpr std::string_view break_word = "BREAK";
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

    // Cut at every BREAK.
    void add(const std::string &text) {
        size_t begin = 0, found = 0;
        bool starts_chunk = false;
        while ((found = find_break(text, found)) != std::string::npos) {
            size_t end = found;
            while (end > begin && is_blank(text[end - 1]))
                --end;
            pieces_.push_back({text.substr(begin, end - begin), 1.0, starts_chunk});
            starts_chunk = true;
            begin = found + break_word.size();
            while (begin < text.size() && is_blank(text[begin]))
                ++begin;
            found = begin;
        }
        pieces_.push_back({text.substr(begin), 1.0, starts_chunk});
    }

    // The first BREAK at or behind `from` that is a word of its own.
    static size_t find_break(const std::string &text, size_t from) {
        for (size_t at = text.find(break_word, from); at != std::string::npos; at = text.find(break_word, at + 1)) {
            const size_t end = at + break_word.size();
            if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
                return at;
        }
        return std::string::npos;
    }

    std::vector<WeightedText> merged() const {
        std::vector<WeightedText> result;
        for (const WeightedText &piece : pieces_)
            if (piece.text.empty() && !piece.starts_chunk)
                continue;
            else if (!result.empty() && !piece.starts_chunk && same(result.back().weight, piece.weight))
                result.back().text += piece.text;
            else
                result.push_back(piece);
        if (result.empty())
            result.push_back({"", 1.0, false});
        return result;
    }

    const std::string &text_;
    size_t at_ = 0;
    std::vector<WeightedText> pieces_;
    std::vector<size_t> round_, square_; // pieces at which brackets that are still open began
};

} // namespace

std::vector<WeightedText> parse_prompt(const std::string &prompt) { return Parser(prompt).run(); }

} // namespace aianime::diffusion
