// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "caption/language.h"
#include "caption/person.h"

namespace aianime::caption {

// A caption with what the faces contradict put right: words for gender and age with their articles and pronouns, the number of
// people, beards, open and closed eyes, smiles and other moods. What faces do not show is left as it is, byte by byte; so is a
// caption without people, or where it is unclear which person a word means. The rules are in docs/understanding.md.
//
// `form` is what the caption is: form_of() tells. people: all whose faces are seen, in any order, as they look at the moment that
// the caption describes; nobody changes nothing. UTF-8 in, UTF-8 out. Thread safety: any.
std::string corrected(const std::string &caption, const std::vector<Person> &people, Language form);

// Tags, where there are at least two parts between commas, of at most three words on the average, or one of the tags for the number
// of people ("1girl", "solo"); else a sentence.
Language form_of(const std::string &caption);

} // namespace aianime::caption
