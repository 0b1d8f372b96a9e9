// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aianime::io {

// Offset of the first byte that is not well-formed UTF-8 (overlong forms, surrogates and values above U+10FFFF are not), or npos.
size_t invalid_utf8(const std::string &text);

// Appends the UTF-8 form of a code point below 0x110000.
void append_utf8(std::string &text, uint32_t code_point);

// Text of strangers made fit for a one-line message: control bytes and broken UTF-8 become "?", the rest after `max_bytes` "...".
std::string printable(const std::string &text, size_t max_bytes = 200);
// The same in double quotes, shorter.
std::string quoted(const std::string &text);

// "a, b, c".
std::string joined(const std::vector<std::string> &words);

// The entry of `known` nearest to `word` by edit distance, upper and lower case alike, or "" when none is near.
std::string nearest(const std::string &word, const std::vector<std::string> &known);

// What to add to a refusal of `word`: `; did you mean "steps"?`, or `; known: a, b` when none is near.
std::string suggestion(const std::string &word, const std::vector<std::string> &known);

} // namespace aianime::io
