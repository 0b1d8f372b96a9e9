// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "caption/language.h"

namespace aianime::caption {

// Tokens of a prompt in the notation of the web UIs, without start and end: PromptEncoder::count().
using TokenCount = std::function<int64_t(const std::string &)>;

// Words in a chunk of 77 tokens.
constexpr int64_t chunk_tokens = 75;

struct PromptParts {
    std::string style;              // the template's text, in the notation of the web UIs; said first, and as it is
    std::string caption;            // plain words, tags or a sentence
    std::vector<std::string> words; // of what faces show, plain, the most important first
    double caption_weight = 1;      // written around it as "(caption:1.2)"; 0 and below: not said
    double words_weight = 1.1;
};

// One prompt: style, caption, words, with commas between. What the style says is not said again, nor what the caption says.
// It takes no more chunks than the style itself (at least one): parts of the caption are left out from the last one on, a long
// first part is cut before a preposition, then words are left out from the last one on; the style always stays.
std::string assembled(const PromptParts &parts, const TokenCount &count);

// Plain words in the notation of the web UIs: brackets and backslashes escaped (those that are stay so), line breaks as blanks, the
// word BREAK in lower case.
std::string escaped(const std::string &words);

// "(words:1.2)"; plain for weight 1, "" for weights of 0 and below and for no words. `words` is escaped already.
std::string weighted(const std::string &words, double weight);

// Chunks that a prompt takes, BREAKs counted.
int64_t chunks_of(const std::string &prompt, const TokenCount &count);

} // namespace aianime::caption
