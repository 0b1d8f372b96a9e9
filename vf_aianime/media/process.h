// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace aianime::media {

// Runs a program (a path, or a name that is looked for in PATH), without a shell and without input, and returns the first `most`
// bytes it writes on stdout; what it writes on stderr is thrown away. "" when it cannot be started or fails.
std::string output_of(const std::vector<std::string> &command, size_t most = 65536);

// Where PATH leads for a program's name, "" when nowhere.
std::string find_program(const std::string &name);

} // namespace aianime::media
