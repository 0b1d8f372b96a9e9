// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/scene.h"

#include <algorithm>

namespace aianime::caption {

size_t Scene::entity_at(size_t i) const {
    size_t nearest = entities.size(), where = 0;
    for (size_t entity = 0; entity < entities.size(); ++entity)
        for (const Mention &mention : entities[entity].mentions)
            if (mention.begin <= i && mention.noun >= where) {
                nearest = entity;
                where = mention.noun;
            }
    return nearest == entities.size() && entities.size() == 1 ? 0 : nearest;
}

bool Scene::all_of(size_t i, const std::function<bool(const Person &)> &is) const {
    const size_t entity = entity_at(i);
    const bool known = entity < entities.size() && matches[entity].certain;
    if (!known)
        return people.size() >= entities.size() && !people.empty() && std::all_of(people.begin(), people.end(), is);
    const std::vector<size_t> &who = matches[entity].people;
    return !who.empty() && std::all_of(who.begin(), who.end(), [&](size_t person) { return is(people[person]); });
}

bool Scene::creature_before(size_t i) const {
    const size_t entity = entity_at(i);
    size_t from = 0;
    if (entity < entities.size())
        for (const Mention &mention : entities[entity].mentions)
            if (mention.noun < i)
                from = mention.noun;
    for (size_t at = from; at < i; ++at)
        if (is_creature(text.at(at)) || text.at(at) == "its")
            return true;
    return false;
}

} // namespace aianime::caption
