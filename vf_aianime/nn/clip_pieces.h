// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::nn {

// A text as CLIP's tokenizer sees it before merging: composed, white space made plain, lower case, cut into runs of letters, single
// digits, runs of other signs and English contractions. White space itself is dropped.
std::vector<std::u32string> clip_pieces(const std::string &text);

// The symbols of a piece: one for each UTF-8 byte, as the printable character that stands for it in vocab.json; the last one ends
// in "</w>".
std::vector<std::string> clip_symbols(const std::u32string &piece);

} // namespace aianime::nn
