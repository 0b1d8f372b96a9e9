// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "caption/person.h"

namespace aianime::caption {

// "1girl", "multiple boys", "solo", "no humans": tags that say how many people there are. `key` as tag_key() gives it.
bool is_count_tag(const std::string &key);

// How many girls and boys there are, as Danbooru counts: up to 5 by number, "6+girls" beyond.
std::vector<std::string> count_tags(int girls, int boys);

// corrected() for tags. Danbooru's words are known with blanks or underscores; new tags are written as most of the old ones are.
std::string corrected_tags(const std::string &tags, const std::vector<Person> &people);

} // namespace aianime::caption
