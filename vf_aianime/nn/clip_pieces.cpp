// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_pieces.h"

#include "io/text.h"
#include "nn/unicode.h"

namespace aianime::nn {

namespace {

enum class Kind { space, letter, number, other };

Kind kind_of(char32_t c) {
    if (unicode::is_space(c))
        return Kind::space;
    return unicode::is_letter(c) ? Kind::letter : unicode::is_number(c) ? Kind::number : Kind::other;
}

bool starts_with(const std::u32string &text, size_t at, const std::u32string &part) {
    return text.compare(at, part.size(), part) == 0;
}

// 's, 't, 're, ... at this place: its length, else 0. The order is that of the original expression.
size_t contraction_at(const std::u32string &text, size_t at) {
    for (const char32_t *word : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"})
        if (starts_with(text, at, word))
            return std::u32string(word).size();
    return 0;
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

// 33 to 126, 161 to 172 and 174 to 255 stand for themselves, the other bytes for the code points from 256 on, in order.
char32_t printable_byte(unsigned char byte) {
    if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
        return byte;
    if (byte <= 32)
        return 256u + byte;
    return byte == 173 ? 256u + 67u : 256u + 33u + (byte - 127u);
}

} // namespace

std::vector<std::u32string> clip_pieces(const std::string &text) {
    const std::u32string clean = unicode::lower(unicode::compose(unicode::decode(text)));
    std::vector<std::u32string> out;
    for (size_t at = 0; at < clean.size();) {
        const Kind kind = kind_of(clean[at]);
        if (kind == Kind::space) {
            ++at;
            continue;
        }
        if (cut_marker(clean, at, out))
            continue;
        size_t length = contraction_at(clean, at);
        if (length == 0) {
            length = 1;
            while (kind != Kind::number && at + length < clean.size() && kind_of(clean[at + length]) == kind)
                ++length;
        }
        out.push_back(clean.substr(at, length));
        at += length;
    }
    return out;
}

std::vector<std::string> clip_symbols(const std::u32string &piece) {
    std::string bytes;
    for (char32_t c : piece)
        io::append_utf8(bytes, c);
    std::vector<std::string> out;
    for (char byte : bytes) {
        out.emplace_back();
        io::append_utf8(out.back(), printable_byte(static_cast<unsigned char>(byte)));
    }
    if (!out.empty())
        out.back() += "</w>";
    return out;
}

} // namespace aianime::nn
