// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/piece_kinds.h"

#include "nn/unicode.h"

namespace aianime::nn {

PieceKind piece_kind(char32_t c) {
    if (unicode::is_space(c))
        return PieceKind::space;
    return unicode::is_letter(c) ? PieceKind::letter : unicode::is_number(c) ? PieceKind::number : PieceKind::other;
}

size_t run_length(const std::u32string &text, size_t at) {
    const PieceKind kind = piece_kind(text[at]);
    size_t length = 1;
    while (at + length < text.size() && piece_kind(text[at + length]) == kind)
        ++length;
    return length;
}

size_t contraction_at(const std::u32string &text, size_t at) {
    for (const char32_t *word : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"}) {
        const size_t length = std::char_traits<char32_t>::length(word);
        if (text.compare(at, length, word) == 0)
            return length;
    }
    return 0;
}

} // namespace aianime::nn
