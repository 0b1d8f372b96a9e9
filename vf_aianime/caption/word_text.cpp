// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/word_text.h"

#include <algorithm>

namespace aianime::caption {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word_byte(char c) { return is_letter(c) || (c >= '0' && c <= '9') || (c & '\x80'); }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

const std::string apostrophe = "\xE2\x80\x99";

// Bytes of a punctuation mark beyond ASCII that begins here: U+2000 to U+206F without the apostrophe, U+3000 to U+303F, the
// full-width comma, full stop and brackets.
size_t wide_mark(const std::string &text, size_t at) {
    const auto is = [&](const char *begin) { return text.compare(at, 2, begin) == 0; };
    if (at + 3 > text.size() || text.compare(at, 3, apostrophe) == 0)
        return 0;
    if (is("\xE2\x80") || is("\xE2\x81") || is("\xE3\x80"))
        return 3;
    for (const char *mark : {"，", "．", "（", "）", "！", "？", "：", "；"})
        if (text.compare(at, 3, mark) == 0)
            return 3;
    return 0;
}

// End of the word that begins at `at`, `at` where none does.
size_t word_end(const std::string &text, size_t at) {
    while (at < text.size()) {
        const char c = text[at];
        const bool joins = (c == '\'' || c == '-') && at > 0 && is_word_byte(text[at - 1]) && at + 1 < text.size() &&
                           is_word_byte(text[at + 1]) && wide_mark(text, at + 1) == 0;
        if (!joins && (!is_word_byte(c) || wide_mark(text, at)))
            break;
        ++at;
    }
    return at;
}

std::string normalized(const std::string &word) {
    std::string low = lower_case(word);
    for (size_t at; (at = low.find(apostrophe)) != std::string::npos;)
        low.replace(at, apostrophe.size(), "'");
    return low;
}

std::string upper_case(std::string text) {
    for (char &c : text)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
    return text;
}

bool is_shouted(const std::string &text) {
    size_t letters = 0;
    for (const char c : text) {
        letters += is_letter(c);
        if (is_letter(c) && !is_upper(c))
            return false;
    }
    return letters > 1;
}

void make_capital(std::string &text) {
    if (!text.empty() && is_letter(text[0]))
        text[0] = upper_case(text.substr(0, 1))[0];
}

std::string in_case_of(const std::string &model, std::string text) {
    if (is_shouted(model))
        return upper_case(text);
    if (!model.empty() && is_upper(model[0]))
        make_capital(text);
    return text;
}

bool sounds_like_a_vowel(const std::string &word) {
    const std::string low = lower_case(word);
    for (const char *begin : {"one", "uni", "use", "eu"})
        if (low.rfind(begin, 0) == 0)
            return false;
    return !low.empty() && std::string("aeiou").find(low[0]) != std::string::npos;
}

} // namespace

std::string lower_case(std::string text) {
    for (char &c : text)
        if (is_upper(c))
            c = static_cast<char>(c - 'A' + 'a');
    return text;
}

bool is_one_of(const std::string &word, const char *list) {
    return !word.empty() && std::string(list).find(" " + word + " ") != std::string::npos;
}

std::string article_for(const std::string &word) { return sounds_like_a_vowel(word) ? "an" : "a"; }

WordText::WordText(const std::string &text) {
    size_t at = 0;
    std::string gap;
    while (at < text.size()) {
        const size_t end = word_end(text, at);
        if (end > at) {
            const std::string word = text.substr(at, end - at);
            words_.push_back({gap, word, normalized(word)});
            gap.clear();
            at = end;
            continue;
        }
        const size_t bytes = std::max<size_t>(1, wide_mark(text, at));
        gap += text.substr(at, bytes);
        at += bytes;
    }
    tail_ = gap;
}

const std::string &WordText::at(size_t i) const {
    static const std::string nothing;
    return i < words_.size() ? words_[i].low : nothing;
}

const std::string &WordText::now(size_t i) const {
    static const std::string nothing;
    return i < words_.size() && !words_[i].removed ? words_[i].text : nothing;
}

const std::string &WordText::gap(size_t i) const { return i < words_.size() ? words_[i].gap : tail_; }

bool WordText::follows(size_t i) const {
    if (i == 0 || i >= words_.size())
        return false;
    return std::all_of(words_[i].gap.begin(), words_[i].gap.end(), is_blank);
}

bool WordText::reads(size_t i, std::initializer_list<const char *> words) const {
    size_t at = i;
    for (const char *word : words) {
        if (this->at(at) != word || (at != i && !follows(at)))
            return false;
        ++at;
    }
    return true;
}

void WordText::replace(size_t i, const std::string &text) {
    words_[i].text = in_case_of(words_[i].text, text);
    words_[i].replaced = true;
    words_[i].removed = false;
}

void WordText::remove(size_t i) {
    const std::string &gap = words_[i].gap;
    if (std::all_of(gap.begin(), gap.end(), [](char c) { return is_blank(c) || c == ','; }))
        words_[i].removed = true;
}

void WordText::remove(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i)
        remove(i);
}

bool WordText::changed() const {
    return std::any_of(words_.begin(), words_.end(), [](const Word &word) { return word.replaced || word.removed; });
}

// Word i, an article, before the words that are left.
std::string WordText::with_article(size_t i) const {
    const Word &word = words_[i];
    size_t next = i + 1;
    while (next < words_.size() && words_[next].removed)
        ++next;
    const bool is_article = (word.low == "a" || word.low == "an") && !word.replaced;
    if (!is_article || next >= words_.size() || (next == i + 1 && !words_[next].replaced))
        return word.text;
    const std::string article = article_for(words_[next].text);
    return is_shouted(words_[next].text) ? upper_case(article) : in_case_of(word.text.substr(0, 1), article);
}

std::string WordText::text() const {
    std::string result;
    const Word *lost = nullptr; // a removed first word: the next one takes its place
    bool begun = false;
    for (size_t i = 0; i < words_.size(); ++i) {
        const Word &word = words_[i];
        if (word.removed) {
            if (!begun && !lost)
                lost = &word;
            continue;
        }
        std::string text = with_article(i);
        if (lost && is_upper(lost->text[0]))
            make_capital(text);
        result += (lost ? lost->gap : word.gap) + text;
        lost = nullptr;
        begun = true;
    }
    return result + tail_;
}

} // namespace aianime::caption
