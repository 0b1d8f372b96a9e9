// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "caption/person.h"

namespace aianime::caption {

// Years, margins for the error of the face network (about ten for grown-ups) included: what lies outside contradicts the word.
struct AgeRange {
    double low, high;
    bool holds(double age) const { return age <= 0 || (age >= low && age <= high); }
};

// A word for a person, and what it claims.
struct PersonNoun {
    const char *singular, *plural;
    Gender gender;
    AgeRange ages;
    const char *opposite; // the noun of the other gender; null: has none, and the word is left alone
    int count = 1;        // of the singular: "couple" is 2, "group" is `many`
    static constexpr int many = -1;
};

struct FoundNoun {
    const PersonNoun *noun;
    bool plural;
};

// `word` in lower case, without a possessive ending.
std::optional<FoundNoun> find_person_noun(const std::string &word);
// The word for the other gender; null where there is none.
const PersonNoun *opposite_of(const PersonNoun &noun);

// The word that fits best: baby (below 2), toddler (4), boy/girl/child (13), teenage boy/teenage girl/teenager (18),
// man/woman/person.
std::string noun_for(double age, Gender gender, bool plural);
// Before a word for grown-ups: young (18 to 35), old (60), "" between.
std::string age_adjective_for(double age);

// What an adjective claims ("old", "little", "teenage"); nothing for other words. `replaces`: it says more than the noun behind it,
// as in "baby girl".
struct AgeAdjective {
    const char *word;
    AgeRange ages;
    bool replaces;
};
const AgeAdjective *find_age_adjective(const std::string &word);

// "two", "2" -> 2, up to twelve; 0 for other words.
int number_of(const std::string &word);
// "two"; digits from 13 on.
std::string number_word(int number);

} // namespace aianime::caption
