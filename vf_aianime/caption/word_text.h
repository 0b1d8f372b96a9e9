// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace aianime::caption {

// ASCII letters only; other bytes stay.
std::string lower_case(std::string text);

// Whether `word` is one of those in `list`, which has single blanks between and around them: " a an the ".
bool is_one_of(const std::string &word, const char *list);

// "a" or "an".
std::string article_for(const std::string &word);

// A text as words that can be exchanged one by one; all else stays byte by byte. A word is a run of letters, digits and bytes
// beyond ASCII, with apostrophes and hyphens inside ("close-up", "woman's"); dashes and quotes of Unicode are no part of it.
// Indices do not move when words are exchanged or taken away. Thread safety: none.
class WordText {
public:
    explicit WordText(const std::string &text);

    size_t size() const { return words_.size(); }
    // As it was at first, in lower case, a typographic apostrophe as "'"; "" beyond the ends (so at(i - 1) is safe for i = 0).
    const std::string &at(size_t i) const;
    // As it is now; "" for one that was taken away.
    const std::string &now(size_t i) const;
    // What stands between word i - 1 and word i; the end of the text for i = size().
    const std::string &gap(size_t i) const;
    // Only blanks stand before word i, and it is neither the first nor beyond the last one.
    bool follows(size_t i) const;
    // The words from i on are these, with only blanks between.
    bool reads(size_t i, std::initializer_list<const char *> words) const;

    // Case as the word had it: lower, Capital, UPPER. `text` may be several words.
    void replace(size_t i, const std::string &text);
    // Takes the comma before it along. A word after a bracket or a quote stays.
    void remove(size_t i);
    void remove(size_t begin, size_t end);
    bool is_removed(size_t i) const { return words_[i].removed; }
    bool changed() const;

    // With "a" and "an" as the words now after them want it, where those are others than before.
    std::string text() const;

private:
    struct Word {
        std::string gap, text, low;
        bool replaced = false, removed = false;
    };
    std::string with_article(size_t i) const;

    std::vector<Word> words_;
    std::string tail_;
};

} // namespace aianime::caption
