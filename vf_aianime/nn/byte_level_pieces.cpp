// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/byte_level_pieces.h"

#include "io/text.h"
#include "nn/byte_symbols.h"
#include "nn/piece_kinds.h"

namespace aianime::nn {

namespace {

// White space before a word leaves its last character to that word's piece.
size_t space_length(const std::u32string &text, size_t at) {
    const size_t length = run_length(text, at);
    return at + length < text.size() && length > 1 ? length - 1 : length;
}

size_t piece_length(const std::u32string &text, size_t at) {
    if (const size_t length = contraction_at(text, at))
        return length;
    const bool led = text[at] == U' ' && at + 1 < text.size() && piece_kind(text[at + 1]) != PieceKind::space;
    if (led)
        return 1 + run_length(text, at + 1);
    return piece_kind(text[at]) == PieceKind::space ? space_length(text, at) : run_length(text, at);
}

} // namespace

std::vector<std::u32string> byte_level_pieces(const std::u32string &text) {
    std::vector<std::u32string> out;
    for (size_t at = 0; at < text.size(); at += out.back().size())
        out.push_back(text.substr(at, piece_length(text, at)));
    return out;
}

std::vector<std::string> byte_level_symbols(const std::u32string &piece) {
    std::string bytes;
    for (char32_t c : piece)
        io::append_utf8(bytes, c);
    std::vector<std::string> out;
    for (char byte : bytes) {
        out.emplace_back();
        io::append_utf8(out.back(), byte_symbol(static_cast<unsigned char>(byte)));
    }
    return out;
}

} // namespace aianime::nn
