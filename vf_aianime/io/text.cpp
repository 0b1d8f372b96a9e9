// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/text.h"

#include <algorithm>

namespace aianime::io {

namespace {

constexpr size_t quoted_bytes = 80;
constexpr size_t compared_bytes = 64; // bounds the work on a hostile key

// Bytes of the sequence that begins at text[at], 0 when it is malformed (Unicode 15, table 3-7).
size_t sequence_length(const std::string &text, size_t at) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto in = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
    const unsigned first = byte(at);
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return in(at + 1, 0x80, 0xBF) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;  // overlong
        const unsigned high = first == 0xED ? 0x9F : 0xBF; // surrogates
        return in(at + 1, low, high) && in(at + 2, 0x80, 0xBF) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80;  // overlong
        const unsigned high = first == 0xF4 ? 0x8F : 0xBF; // above U+10FFFF
        return in(at + 1, low, high) && in(at + 2, 0x80, 0xBF) && in(at + 3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

std::string lower(const std::string &text) {
    std::string result = text.substr(0, compared_bytes);
    for (char &c : result)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// Insertions, deletions, replacements and swaps of neighbours that turn a into b.
size_t edit_distance(const std::string &a, const std::string &b) {
    std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= b.size(); j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= a.size(); i++)
        for (size_t j = 1; j <= b.size(); j++) {
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    return cost[a.size()][b.size()];
}

} // namespace

size_t invalid_utf8(const std::string &text) {
    for (size_t at = 0; at < text.size();) {
        const size_t length = sequence_length(text, at);
        if (length == 0)
            return at;
        at += length;
    }
    return std::string::npos;
}

void append_utf8(std::string &text, uint32_t code_point) {
    const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)); };
    if (code_point < 0x80) {
        text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        text += static_cast<char>(0xC0 | (code_point >> 6));
        tail(0);
    } else if (code_point < 0x10000) {
        text += static_cast<char>(0xE0 | (code_point >> 12));
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xF0 | (code_point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::string printable(const std::string &text, size_t max_bytes) {
    std::string result;
    for (size_t at = 0; at < text.size();) {
        const size_t length = sequence_length(text, at);
        if (at + std::max<size_t>(length, 1) > max_bytes)
            return result + "...";
        const auto first = static_cast<unsigned char>(text[at]);
        if (length == 0 || first < 0x20 || first == 0x7F)
            result += '?';
        else
            result.append(text, at, length);
        at += std::max<size_t>(length, 1);
    }
    return result;
}

std::string quoted(const std::string &text) { return '"' + printable(text, quoted_bytes) + '"'; }

std::string joined(const std::vector<std::string> &words) {
    std::string result;
    for (const std::string &word : words)
        result += (result.empty() ? "" : ", ") + word;
    return result;
}

std::string nearest(const std::string &word, const std::vector<std::string> &known) {
    const std::string wanted = lower(word);
    // A third of the letters may be wrong, two in any case, but never all of them.
    size_t best = std::min(std::max<size_t>(2, wanted.size() / 3) + 1, std::max<size_t>(wanted.size(), 1));
    std::string result;
    for (const std::string &candidate : known) {
        const size_t distance = edit_distance(wanted, lower(candidate));
        if (distance < best) {
            best = distance;
            result = candidate;
        }
    }
    return result;
}

std::string suggestion(const std::string &word, const std::vector<std::string> &known) {
    const std::string near = nearest(word, known);
    return near.empty() ? "; known: " + joined(known) : "; did you mean " + quoted(near) + "?";
}

} // namespace aianime::io
