// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <vector>

#include "caption/matching.h"

namespace aianime::caption {

// A sentence and the people it may speak of, while it is corrected. The parts of the correction change `text` only, in this order.
struct Scene {
    Scene(const std::string &sentence, const std::vector<Person> &seen)
        : text(sentence), entities(find_entities(text)), people(from_left_to_right(seen)), matches(match_people(entities, people)) {
        for (const Entity &entity : entities)
            genders.push_back(entity.first().gender);
    }

    WordText text;
    std::vector<Entity> entities;
    std::vector<Person> people;  // from left to right
    std::vector<Match> matches;  // of the entities
    std::vector<Gender> genders; // of the entities as the text has them now

    // Whether everybody whom word `i` may be about is so: the people of the entity around or before it; everybody where no
    // entity is, or it is unclear who it is and there are faces for all. False where that is nobody.
    bool all_of(size_t i, const std::function<bool(const Person &)> &is) const;
    // The entity around or before word `i`, or the only one; entities.size() for none.
    size_t entity_at(size_t i) const;
    // Whether an animal, a figure or "its" stands between word `i` and that entity's noun before it, or the beginning.
    bool creature_before(size_t i) const;
};

// Words for gender, age and number.
void correct_nouns(Scene &scene);
// Pronouns of entities whose gender is another now.
void correct_pronouns(Scene &scene);
// Closed and open eyes; beards; smiles and other moods.
void correct_eyes(Scene &scene);
void correct_beard(Scene &scene);
void correct_mood(Scene &scene);

} // namespace aianime::caption
