// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::caption {

// Without blanks at its ends.
std::string trimmed(const std::string &text);

// One tag as two texts compare it: lower case, "_" as a blank, no backslashes, single blanks.
std::string tag_key(const std::string &tag);

// The parts of a text between commas, trimmed, empty ones left out.
std::vector<std::string> split_tags(const std::string &text);

// "a, b".
std::string joined_tags(const std::vector<std::string> &tags);

} // namespace aianime::caption
