// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::caption {

enum class TagCategory { general, character, rating };

// A line of a WD tagger's selected_tags.csv.
struct TagName {
    std::string text; // as it is said: with spaces for underscores, but for emoticons such as "^_^"
    TagCategory category;
};

// Reads selected_tags.csv: a first line that names the columns, of which "name" and "category" (0 general, 4 character, 9 rating)
// are used; fields may stand in double quotes, a quote within them is doubled (RFC 4180), lines end with LF or CRLF. At most 16 MiB
// and 2^20 tags. Throws Error (NOT_FOUND, IO; BAD_DATA with the line, for text that is not UTF-8 too).
std::vector<TagName> read_tag_list(const std::string &path);

} // namespace aianime::caption
