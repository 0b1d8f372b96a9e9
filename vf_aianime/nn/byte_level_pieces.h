// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::nn {

// A text cut as GPT-2's tokenizer does before merging; the pieces together are the text. The expression, as transformers applies
// it:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::vector<std::u32string> byte_level_pieces(const std::u32string &text);

// The symbols of a piece: one for each UTF-8 byte, as the printable character that stands for it in a vocabulary.
std::vector<std::string> byte_level_symbols(const std::u32string &piece);

} // namespace aianime::nn
