// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "caption/scene.h"

namespace aianime::caption {

namespace {

// "Her" before one of these is the object of a verb or a preposition.
constexpr const char *not_owned =
    " in on at with and or but by for from to into near as while is are was were through up down out off over "
    "under again a an the there here away around behind ";

Gender gender_of_pronoun(const std::string &word) {
    if (is_one_of(word, " he his him himself he's "))
        return Gender::male;
    return is_one_of(word, " she her hers herself she's ") ? Gender::female : Gender::unknown;
}

class PronounCorrection {
public:
    explicit PronounCorrection(Scene &scene) : scene_(scene), text_(scene.text) {}

    void run() {
        for (size_t i = 0; i < text_.size(); ++i) {
            const Gender written = gender_of_pronoun(text_.at(i));
            if (written == Gender::unknown)
                continue;
            const Gender right = gender_of_owner(i, written);
            if (right != Gender::unknown && right != written)
                exchange(i, right);
        }
    }

private:
    // Of the one whom the pronoun stands for; unknown where that is unclear, or nothing about them has changed.
    Gender gender_of_owner(size_t i, Gender written) const {
        if (scene_.entities.empty())
            return scene_.creature_before(i) ? Gender::unknown : gender_of_all();
        const std::vector<size_t> owners = owners_of(i, written);
        if (owners.size() != 1)
            return Gender::unknown;
        const Entity &entity = scene_.entities[owners[0]];
        const Gender before = entity.first().gender;
        const bool of_a_creature = before != written && creature_between(entity.mentions.back().noun, i);
        return entity.is_single() && !of_a_creature && (before == Gender::unknown || before == written) ? scene_.genders[owners[0]]
                                                                                                        : Gender::unknown;
    }

    // Those before it, by preference with its gender.
    std::vector<size_t> owners_of(size_t i, Gender written) const {
        std::vector<size_t> before;
        for (size_t entity = 0; entity < scene_.entities.size(); ++entity)
            if (scene_.entities[entity].first().noun < i || scene_.entities.size() == 1)
                before.push_back(entity);
        if (before.size() <= 1)
            return before;
        for (const Gender gender : {written, Gender::unknown}) {
            std::vector<size_t> some;
            std::copy_if(before.begin(), before.end(), std::back_inserter(some),
                         [&](size_t entity) { return scene_.entities[entity].first().gender == gender; });
            if (!some.empty())
                return some;
        }
        return {};
    }

    Gender gender_of_all() const {
        Gender all = scene_.people.empty() ? Gender::unknown : gender_of(scene_.people[0]);
        for (const Person &person : scene_.people)
            if (gender_of(person) != all)
                all = Gender::unknown;
        return all;
    }

    bool creature_between(size_t begin, size_t end) const {
        for (size_t i = begin + 1; i < end; ++i)
            if (is_creature(text_.at(i)))
                return true;
        return false;
    }

    void exchange(size_t i, Gender to) {
        const std::string &word = text_.at(i);
        const bool owned = text_.follows(i + 1) && !is_one_of(text_.at(i + 1), not_owned);
        if (to == Gender::male && word == "her")
            return text_.replace(i, owned ? "his" : "him");
        if (to == Gender::female && word == "his")
            return text_.replace(i, owned ? "her" : "hers");
        constexpr const char *pairs[][2] = {
            {"he", "she"}, {"him", "her"}, {"his", "hers"}, {"himself", "herself"}, {"he's", "she's"}};
        for (const auto &pair : pairs)
            if (word == pair[to == Gender::male])
                return text_.replace(i, pair[to == Gender::female]);
    }

    Scene &scene_;
    WordText &text_;
};

} // namespace

void correct_pronouns(Scene &scene) { PronounCorrection(scene).run(); }

} // namespace aianime::caption
