// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::nn {

// What the expressions share with which CLIP and GPT-2 cut a text into pieces before merging.

enum class PieceKind { space, letter, number, other };

PieceKind piece_kind(char32_t c);

// The number of code points from `at` on that are of the same kind as the one there.
size_t run_length(const std::u32string &text, size_t at);

// 's, 't, 're, 've, 'm, 'll or 'd at this place: its length, else 0. The order is that of the original expressions.
size_t contraction_at(const std::u32string &text, size_t at);

} // namespace aianime::nn
