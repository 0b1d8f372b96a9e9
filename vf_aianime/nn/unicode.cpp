// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/unicode.h"

#include <algorithm>
#include <utility>

#include "nn/unicode_tables.h"

namespace aianime::nn::unicode {

namespace {

constexpr char32_t replacement = 0xFFFD;

// The entry of a sorted table of ranges that holds c, or null.
template <typename Range>
const Range *find_range(const Range *table, size_t count, char32_t c) {
    const Range *end = table + count;
    const Range *found = std::lower_bound(table, end, c, [](const Range &range, char32_t code) { return range.last < code; });
    return found != end && found->first <= c ? found : nullptr;
}

uint32_t combining_class(char32_t c) {
    const ClassRange *range = find_range(class_ranges, class_ranges_count, c);
    return range ? range->combining_class : 0;
}

// Hangul syllables are composed of a leading consonant, a vowel and possibly a trailing consonant by arithmetic (The Unicode
// Standard, section 3.12).
constexpr char32_t hangul_base = 0xAC00, leading_base = 0x1100, vowel_base = 0x1161, trailing_base = 0x11A7;
constexpr char32_t leading_count = 19, vowel_count = 21, trailing_count = 28;
constexpr char32_t hangul_count = leading_count * vowel_count * trailing_count;

void append_decomposed(std::u32string &out, char32_t c) {
    if (c >= hangul_base && c < hangul_base + hangul_count) {
        const char32_t index = c - hangul_base;
        out += leading_base + index / (vowel_count * trailing_count);
        out += vowel_base + index / trailing_count % vowel_count;
        if (index % trailing_count)
            out += trailing_base + index % trailing_count;
        return;
    }
    const Decomposition *end = decompositions + decompositions_count;
    const Decomposition *found =
        std::lower_bound(decompositions, end, c, [](const Decomposition &entry, char32_t code) { return entry.code < code; });
    if (found == end || found->code != c) {
        out += c;
        return;
    }
    append_decomposed(out, found->first);
    if (found->second)
        append_decomposed(out, found->second);
}

// Marks after a letter in the order of their classes.
void sort_marks(std::u32string &text) {
    for (size_t begin = 0; begin < text.size();) {
        size_t end = begin;
        while (end < text.size() && combining_class(text[end]))
            ++end;
        std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end),
                         [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
        begin = end + 1;
    }
}

// The code point that stands for the pair, or 0.
char32_t composed_pair(char32_t first, char32_t second) {
    if (first >= leading_base && first < leading_base + leading_count && second >= vowel_base && second < vowel_base + vowel_count)
        return hangul_base + ((first - leading_base) * vowel_count + (second - vowel_base)) * trailing_count;
    if (first >= hangul_base && first < hangul_base + hangul_count && (first - hangul_base) % trailing_count == 0 &&
        second > trailing_base && second < trailing_base + trailing_count)
        return first + (second - trailing_base);
    const auto pair = std::make_pair(first, second);
    const Composition *end = compositions + compositions_count;
    const Composition *found = std::lower_bound(compositions, end, pair, [](const Composition &entry, const auto &wanted) {
        return std::make_pair(entry.first, entry.second) < wanted;
    });
    return found != end && found->first == first && found->second == second ? found->code : 0;
}

} // namespace

std::u32string decode(const std::string &text) {
    std::u32string out;
    for (size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i++]);
        if (lead < 0x80) {
            out += lead;
            continue;
        }
        const int more = lead >= 0xC2 && lead <= 0xDF ? 1 : lead >= 0xE0 && lead <= 0xEF ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
        // The second byte's range leaves out overlong forms, surrogates and what lies above U+10FFFF.
        unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        char32_t code = more == 1 ? lead & 0x1F : more == 2 ? lead & 0x0F : lead & 0x07;
        int taken = 0;
        for (; taken < more && i < text.size(); ++taken, ++i) {
            const auto next = static_cast<unsigned char>(text[i]);
            if (next < low || next > high)
                break;
            code = code << 6 | (next & 0x3F);
            low = 0x80;
            high = 0xBF;
        }
        out += more > 0 && taken == more ? code : replacement;
    }
    return out;
}

bool is_letter(char32_t c) { return find_range(letter_ranges, letter_ranges_count, c) != nullptr; }

bool is_number(char32_t c) { return find_range(number_ranges, number_ranges_count, c) != nullptr; }

bool is_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::u32string compose(const std::u32string &text) {
    std::u32string apart;
    for (char32_t c : text)
        append_decomposed(apart, c);
    sort_marks(apart);

    std::u32string out;
    size_t starter = std::u32string::npos; // where in `out` the last code point of class 0 is
    uint32_t last_class = 0;               // of what was kept after it
    for (char32_t c : apart) {
        const uint32_t its_class = combining_class(c);
        const bool adjacent = starter != std::u32string::npos && starter + 1 == out.size();
        const bool blocked = starter == std::u32string::npos || (!adjacent && (last_class == 0 || last_class >= its_class));
        const char32_t together = blocked ? 0 : composed_pair(out[starter], c);
        if (together) {
            out[starter] = together;
            continue;
        }
        if (its_class == 0)
            starter = out.size();
        last_class = its_class;
        out += c;
    }
    return out;
}

std::u32string lower(const std::u32string &text) {
    std::u32string out;
    for (char32_t c : text) {
        if (c == 0x130) { // dotted capital I: a small i and a dot above
            out += {0x69, 0x307};
            continue;
        }
        const LowerRun *run = find_range(lower_runs, lower_runs_count, c);
        const bool changes = run && (c - run->first) % run->step == 0;
        out += changes ? static_cast<char32_t>(static_cast<int64_t>(c) + run->difference) : c;
    }
    return out;
}

} // namespace aianime::nn::unicode
