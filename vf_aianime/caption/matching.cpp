// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/matching.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace aianime::caption {

namespace {

constexpr size_t most_entities = 4, most_people = 6;
constexpr int wrong_side = 4;
constexpr int most_among_several = 1; // price: beyond, the face is rather of somebody whom the text does not tell of
constexpr double far_off = 10;        // years beyond a word's range, which count twice

// Goes through all assignments and keeps the best.
class Matcher {
public:
    Matcher(const std::vector<Entity> &entities, const std::vector<Person> &people)
        : entities_(entities), people_(people), owner_(entities.size(), none), taken_(people.size()), found_(entities.size()) {}

    std::vector<Match> run() {
        assign(0, 0, std::min(entities_.size(), people_.size()));
        return found_;
    }

private:
    static constexpr size_t none = std::numeric_limits<size_t>::max();

    // Entities from `entity` on, `left` of which get somebody.
    void assign(size_t entity, int cost, size_t left) {
        if (cost > best_)
            return;
        if (entity == entities_.size())
            return keep(cost);
        for (size_t person = 0; person < people_.size() && left > 0; ++person) {
            if (taken_[person])
                continue;
            taken_[person] = true;
            owner_[entity] = person;
            assign(entity + 1, cost + price(entity, person), left - 1);
            owner_[entity] = none;
            taken_[person] = false;
        }
        if (entities_.size() - entity > left)
            assign(entity + 1, cost, left);
    }

    int price(size_t entity, size_t person) const {
        const Mention &mention = entities_[entity].first();
        const Person &who = people_[person];
        const AgeRange wider = {mention.range.low - far_off, mention.range.high + far_off};
        int sum = contradicts_gender(mention.gender, gender_of(who)) + !mention.range.holds(who.age) + !wider.holds(who.age);
        if (entities_[entity].left && people_.size() > 1)
            sum += wrong_side * (person != (*entities_[entity].left ? 0 : people_.size() - 1));
        return sum;
    }

    void keep(int cost) {
        if (cost < best_)
            found_.assign(entities_.size(), {{}, true});
        best_ = cost;
        for (size_t entity = 0; entity < entities_.size(); ++entity) {
            Match &match = found_[entity];
            if (owner_[entity] == none || (entities_.size() > 1 && price(entity, owner_[entity]) > most_among_several))
                match.certain = false;
            else if (std::find(match.people.begin(), match.people.end(), owner_[entity]) == match.people.end())
                match.people.push_back(owner_[entity]);
        }
    }

    const std::vector<Entity> &entities_;
    const std::vector<Person> &people_;
    std::vector<size_t> owner_; // of each entity, now
    std::vector<bool> taken_;
    int best_ = std::numeric_limits<int>::max();
    std::vector<Match> found_;
};

std::vector<size_t> everybody(const std::vector<Person> &people) {
    std::vector<size_t> all(people.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
}

} // namespace

std::vector<Match> match_people(const std::vector<Entity> &entities, const std::vector<Person> &people) {
    const bool all_single = std::all_of(entities.begin(), entities.end(), [](const Entity &e) { return e.is_single(); });
    if (entities.size() == 1 && !all_single) {
        const int count = entities[0].first().count;
        const bool enough = people.size() >= 2 && (count == PersonNoun::many || people.size() >= static_cast<size_t>(count));
        return {{everybody(people), enough}};
    }
    if (!all_single || entities.size() > most_entities || people.size() > most_people || people.empty())
        return std::vector<Match>(entities.size());
    return Matcher(entities, people).run();
}

} // namespace aianime::caption
