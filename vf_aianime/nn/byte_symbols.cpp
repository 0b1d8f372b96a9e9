// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/byte_symbols.h"

#include <array>

namespace aianime::nn {

namespace {

constexpr char32_t first_other = 256;
constexpr int others = 68; // bytes that do not stand for themselves

constexpr bool is_itself(int byte) { return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174; }

// The bytes behind the code points from 256 on.
constexpr std::array<int, others> make_other_bytes() {
    std::array<int, others> bytes{};
    int count = 0;
    for (int byte = 0; byte < 256; ++byte)
        if (!is_itself(byte))
            bytes[static_cast<size_t>(count++)] = byte;
    return bytes;
}
constexpr std::array<int, others> other_bytes = make_other_bytes();

} // namespace

char32_t byte_symbol(unsigned char byte) {
    if (is_itself(byte))
        return byte;
    char32_t place = first_other;
    for (const int other : other_bytes) {
        if (other == byte)
            break;
        ++place;
    }
    return place;
}

int symbol_byte(char32_t symbol) {
    if (symbol < first_other)
        return is_itself(static_cast<int>(symbol)) ? static_cast<int>(symbol) : -1;
    return symbol < first_other + others ? other_bytes[symbol - first_other] : -1;
}

} // namespace aianime::nn
