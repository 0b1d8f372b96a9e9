// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_pieces.h"

#include "nn/byte_level_pieces.h"
#include "nn/piece_kinds.h"
#include "nn/unicode.h"

namespace aianime::nn {

namespace {

bool starts_with(const std::u32string &text, size_t at, const std::u32string &part) {
    return text.compare(at, part.size(), part) == 0;
}

// The names of the start and end tokens in another case than the vocabulary's are no tokens, yet they are cut off what follows.
bool cut_marker(const std::u32string &text, size_t &at, std::vector<std::u32string> &out) {
    for (const char32_t *word : {U"startoftext", U"endoftext"}) {
        const std::u32string marker = std::u32string(U"<|") + word + U"|>";
        if (!starts_with(text, at, marker))
            continue;
        out.insert(out.end(), {U"<|", word, U"|>"});
        at += marker.size();
        return true;
    }
    return false;
}

} // namespace

std::vector<std::u32string> clip_pieces(const std::string &text) {
    const std::u32string clean = unicode::lower(unicode::compose(unicode::decode(text)));
    std::vector<std::u32string> out;
    for (size_t at = 0; at < clean.size();) {
        const PieceKind kind = piece_kind(clean[at]);
        if (kind == PieceKind::space) {
            ++at;
            continue;
        }
        if (cut_marker(clean, at, out))
            continue;
        size_t length = contraction_at(clean, at);
        if (length == 0)
            length = kind == PieceKind::number ? 1 : run_length(clean, at);
        out.push_back(clean.substr(at, length));
        at += length;
    }
    return out;
}

std::vector<std::string> clip_symbols(const std::u32string &piece) {
    std::vector<std::string> out = byte_level_symbols(piece);
    if (!out.empty())
        out.back() += "</w>";
    return out;
}

} // namespace aianime::nn
