// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::diffusion {

// A piece of a prompt and the weight written around it, in the notation of the common web UIs: "(word:1.2)", "(word)" = 1.1,
// "[word]" = 1/1.1, nested ones multiply; "\(" is a parenthesis, "\\" a backslash; the word "BREAK" starts a new chunk.
struct WeightedText {
    std::string text;
    double weight;
    bool starts_chunk = false; // a BREAK stood before it
};

// Never throws. A bracket that is never closed weighs all that follows, a closing one without an opening one is text, as users of
// this notation expect; brackets nested deeper than 100 are text. Neighbours of the same weight are one piece; an empty prompt is
// one empty piece. BREAK takes the blanks around it with it.
std::vector<WeightedText> parse_prompt(const std::string &prompt);

// Whether a byte of UTF-8 belongs to a word: letters, digits and underscores, and every byte beyond ASCII.
bool is_word(char c);

} // namespace aianime::diffusion
