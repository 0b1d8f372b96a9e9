// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <vector>

#include "caption/person_nouns.h"
#include "caption/word_text.h"

namespace aianime::caption {

// "a very young woman's": the words from `begin` to `noun` of a text.
struct Mention {
    size_t begin, noun;
    const PersonNoun *word;
    bool plural, possessive;
    int count;                              // PersonNoun::many where the text does not say
    std::vector<size_t> ages;               // age adjectives, and the words of "two year old"
    AgeRange range;                         // what all of it claims
    std::optional<size_t> gender_adjective; // "male" in "a male singer"
    Gender gender;                          // as written
};

// One or several people a text speaks of, once or more often ("a man ... the man").
struct Entity {
    std::vector<Mention> mentions;
    const Mention &first() const { return mentions.front(); }
    bool is_single() const { return first().count == 1; }
    std::optional<bool> left; // "on the left" (true) or "on the right" stands behind it
};

// Everybody the text speaks of, in its order. Left out are compounds ("girl scout"), things that belong to somebody ("a woman's
// bicycle", but not "a woman's face"), what is depicted or compared ("a statue of a man", "like a boy"), and pictures within it.
std::vector<Entity> find_entities(const WordText &text);

// Whether this is a word for an animal or a doll, which has eyes and moods of its own.
bool is_creature(const std::string &word);

} // namespace aianime::caption
