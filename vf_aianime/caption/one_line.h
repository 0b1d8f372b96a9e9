// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::caption {

// White space and control characters become single spaces, none at the ends. Invalid UTF-8 is replaced.
std::string one_line(const std::string &text);

} // namespace aianime::caption
