// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::nn::unicode {

// UTF-8 to code points. Bytes that are not UTF-8 become U+FFFD, one for each longest broken sequence; never an error.
std::u32string decode(const std::string &text);

bool is_letter(char32_t c); // general category L
bool is_number(char32_t c); // general category N
bool is_space(char32_t c);  // property White_Space

// Normalization form C: letters and their accents as one code point where there is one.
std::u32string compose(const std::u32string &text);

// Code point by code point, without regard to language or position.
std::u32string lower(const std::u32string &text);

} // namespace aianime::nn::unicode
