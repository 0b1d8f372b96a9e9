// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace aianime::caption {

struct Phrase {
    std::string text;     // "with long hair"
    std::string tag;      // "long hair"; the text itself where the list gives no other
    bool neutral = false; // it stands for "nothing of this group"
    size_t line = 0;
};

struct PhraseGroup {
    std::string name;
    std::vector<Phrase> phrases;
};

// Reads a list of phrases. "[hair]" begins a group, every other line is a phrase of it; "- a person" is a neutral one; what stands
// behind a "|" is the phrase's form as a tag; lines that begin with "#" and empty ones are skipped. A group needs two phrases at
// least, one of them not neutral, each once. At most 1 MiB and 10,000 phrases. Throws Error (NOT_FOUND, IO, FORBIDDEN; BAD_DATA
// with the line, for text that is not UTF-8 or holds control bytes too).
std::vector<PhraseGroup> read_phrase_list(const std::string &path);

// The list that comes with the library: models/phrases/default.txt, or phrases/default.txt below a folder of AIANIME_MODELS. Throws
// Error (NOT_FOUND).
std::string default_phrase_list();

} // namespace aianime::caption
