// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace aianime::nn {

// The table of GPT-2 (bytes_to_unicode): a printable character for every byte, so that a vocabulary of bytes can be stored as text.
// 33 to 126, 161 to 172 and 174 to 255 stand for themselves, the other bytes for the code points from 256 on, in order.
char32_t byte_symbol(unsigned char byte);

// The byte that a character stands for, -1 for a character that is no symbol.
int symbol_byte(char32_t symbol);

} // namespace aianime::nn
