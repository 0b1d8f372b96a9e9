// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::io {

// Refuses text that is not exactly RFC 8259 JSON, nests deeper than `max_depth`, repeats a key inside an object, or holds a number
// that neither 64 bits nor a double can hold. Throws Error (BAD_DATA) with line and column; `name` stands for the file.
void check_json(const std::string &text, const std::string &name, int max_depth);

} // namespace aianime::io
