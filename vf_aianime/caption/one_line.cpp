// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/one_line.h"

#include "io/text.h"
#include "nn/unicode.h"

namespace aianime::caption {

std::string one_line(const std::string &text) {
    std::string line;
    bool gap = false;
    for (const char32_t c : nn::unicode::decode(text)) {
        if (nn::unicode::is_space(c) || c < 0x20 || c == 0x7F) {
            gap = !line.empty();
            continue;
        }
        if (gap)
            line += ' ';
        gap = false;
        io::append_utf8(line, c);
    }
    return line;
}

} // namespace aianime::caption
