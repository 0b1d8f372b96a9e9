// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "caption/mentions.h"

namespace aianime::caption {

// Who an entity of a text may be.
struct Match {
    std::vector<size_t> people; // indices
    bool certain = false;       // it is one of them (of a plural: it is them), whoever it is
};

// Ties people to single entities so that as little as possible is contradicted (gender, age, and much more so the side); all ways
// of doing so that are equally good are kept, so that only what they agree on may be changed. As many pairs as there can be; one of
// several entities is not somebody who contradicts more than one thing. A plural that is the only entity of the text is everybody,
// where there are at least two people and as many as it says. More than 4 entities or 6 people, and plurals beside others, match
// nobody. people: from left to right. One match for each entity.
std::vector<Match> match_people(const std::vector<Entity> &entities, const std::vector<Person> &people);

// Whether a word for one gender is said of a person of the other.
inline bool contradicts_gender(Gender said, Gender seen) {
    return said != Gender::unknown && seen != Gender::unknown && said != seen;
}

} // namespace aianime::caption
