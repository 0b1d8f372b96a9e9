// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/assembly.h"

#include <algorithm>
#include <cmath>

#include "caption/person_words.h"
#include "caption/tag_list.h"
#include "caption/word_text.h"

namespace aianime::caption {

namespace {

constexpr const char *brackets = "()[]\\";
// A long sentence may end before one of these.
constexpr const char *joints =
    " with in on at and while wearing standing sitting holding behind near under over next looking who which that for by "
    "from ";

// A style without brackets and weights, as text to compare with.
std::string without_notation(const std::string &style) {
    std::string text;
    for (size_t i = 0; i < style.size(); ++i) {
        const char c = style[i];
        if (c == '\\' && i + 1 < style.size())
            text += style[++i];
        else if (c == ':') {
            const size_t end = style.find_first_not_of("0123456789. +-", i + 1);
            if (end != std::string::npos && style[end] == ')')
                i = end - 1;
            else
                text += c;
        } else if (std::string("()[]").find(c) == std::string::npos)
            text += c;
    }
    return text;
}

std::vector<std::string> cut_at_breaks(const std::string &prompt) {
    std::vector<std::string> parts;
    size_t begin = 0, at = 0;
    const auto is_border = [&](size_t i) {
        return i >= prompt.size() || prompt[i] == ' ' || prompt[i] == ',' || prompt[i] == '\n';
    };
    while ((at = prompt.find("BREAK", at)) != std::string::npos) {
        const size_t end = at + 5;
        if ((at == 0 || is_border(at - 1)) && is_border(end)) {
            parts.push_back(prompt.substr(begin, at - begin));
            begin = end;
        }
        at = end;
    }
    parts.push_back(prompt.substr(begin));
    return parts;
}

// Whether a part between commas of `style` has these words in a row.
bool is_said(const std::vector<std::string> &style, const std::string &words) {
    const std::string key = " " + tag_key(words) + " ";
    return std::any_of(style.begin(), style.end(),
                       [&](const std::string &part) { return (" " + tag_key(part) + " ").find(key) != std::string::npos; });
}

class Assembly {
public:
    Assembly(const PromptParts &parts, const TokenCount &count)
        : parts_(parts), count_(count), plain_style_(without_notation(parts.style)),
          chunks_(std::max<int64_t>(1, chunks_of(parts.style, count))) {
        const std::vector<std::string> style = split_tags(plain_style_);
        for (const std::string &part : split_tags(parts.caption_weight > 0 ? parts.caption : ""))
            if (!is_said(style, part) && !is_repeated(part))
                caption_.push_back(part);
        if (parts.words_weight > 0)
            words_ = parts.words;
    }

    std::string run() {
        std::string whole = text();
        while (!fits(whole) && !caption_.empty()) {
            if (caption_.size() > 1 || !shorten(caption_[0]))
                caption_.pop_back();
            whole = text();
        }
        while (!fits(whole) && !words_.empty()) {
            words_.pop_back();
            whole = text();
        }
        return whole;
    }

private:
    bool fits(const std::string &whole) const { return whole == parts_.style || chunks_of(whole, count_) <= chunks_; }

    bool is_repeated(const std::string &part) const {
        return std::any_of(caption_.begin(), caption_.end(),
                           [&](const std::string &other) { return tag_key(other) == tag_key(part); });
    }

    // Ends a sentence before its last joint; false where there is none.
    static bool shorten(std::string &sentence) {
        const WordText words(sentence);
        size_t at = words.size();
        while (at > 2 && !is_one_of(words.at(at - 1), joints))
            --at;
        if (at <= 2)
            return false;
        std::string shorter;
        for (size_t i = 0; i + 1 < at; ++i)
            shorter += words.gap(i) + words.now(i);
        sentence = trimmed(shorter);
        return !sentence.empty();
    }

    std::string text() const {
        const std::string caption = joined_tags(caption_);
        std::vector<std::string> words;
        for (const std::string &word : words_)
            if (!says(plain_style_, word) && !says(caption, word))
                words.push_back(word);
        std::string whole = parts_.style;
        for (const std::string &part :
             {weighted(escaped(caption), parts_.caption_weight), weighted(escaped(joined_tags(words)), parts_.words_weight)})
            if (!part.empty())
                whole += link(whole) + part;
        return whole;
    }

    // What is missing between a text and the next part.
    static std::string link(const std::string &text) {
        const std::string bare = trimmed(text);
        if (bare.empty() || (bare.back() == ',' && bare.size() < text.size()))
            return "";
        return bare.back() == ',' ? " " : ", ";
    }

    const PromptParts &parts_;
    const TokenCount &count_;
    std::string plain_style_;
    int64_t chunks_;
    std::vector<std::string> caption_, words_;
};

} // namespace

std::string assembled(const PromptParts &parts, const TokenCount &count) { return Assembly(parts, count).run(); }

std::string escaped(const std::string &words) {
    std::string text;
    const std::string special = brackets;
    for (size_t i = 0; i < words.size(); ++i) {
        const char c = words[i];
        const bool is_escape = c == '\\' && i + 1 < words.size() && special.find(words[i + 1]) != std::string::npos;
        if (is_escape) {
            text += c;
            text += words[++i];
        } else if (special.find(c) != std::string::npos)
            text += std::string("\\") + c;
        else
            text += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
    }
    for (size_t at = 0; (at = text.find("BREAK", at)) != std::string::npos; at += 5)
        text.replace(at, 5, "break");
    return text;
}

std::string weighted(const std::string &words, double weight) {
    if (words.empty() || !(weight > 0))
        return "";
    const long hundredths = std::lround(std::min(weight, 100.0) * 100);
    if (hundredths == 100)
        return words;
    std::string number = std::to_string(hundredths / 100) + "." + std::to_string(100 + hundredths % 100).substr(1);
    while (number.back() == '0')
        number.pop_back();
    if (number.back() == '.')
        number.pop_back();
    return "(" + words + ":" + number + ")";
}

int64_t chunks_of(const std::string &prompt, const TokenCount &count) {
    int64_t chunks = 0;
    for (const std::string &part : cut_at_breaks(prompt))
        chunks += std::max<int64_t>(1, (count(part) + chunk_tokens - 1) / chunk_tokens);
    return chunks;
}

} // namespace aianime::caption
