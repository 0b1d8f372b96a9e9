// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/person_nouns.h"

#include "caption/word_text.h"

namespace aianime::caption {

namespace {

constexpr double oldest = 200;
constexpr AgeRange any_age = {0, oldest}, grown = {12, oldest};
constexpr Gender m = Gender::male, f = Gender::female, n = Gender::unknown;
constexpr int many = PersonNoun::many;

// "Girl" is said of young women, "boy" of young men.
constexpr PersonNoun nouns[] = {
    {"man", "men", m, grown, "woman"},
    {"woman", "women", f, grown, "man"},
    {"boy", "boys", m, {3, 32}, "girl"},
    {"girl", "girls", f, {3, 32}, "boy"},
    {"lady", "ladies", f, grown, "man"},
    {"gentleman", "gentlemen", m, grown, "woman"},
    {"guy", "", m, grown, "woman"},
    {"dude", "dudes", m, grown, "woman"},
    {"male", "males", m, any_age, "female"},
    {"female", "females", f, any_age, "male"},
    {"baby", "babies", n, {0, 5}, nullptr},
    {"infant", "infants", n, {0, 4}, nullptr},
    {"newborn", "newborns", n, {0, 4}, nullptr},
    {"toddler", "toddlers", n, {0, 8}, nullptr},
    {"child", "children", n, {0, 19}, nullptr},
    {"kid", "kids", n, {0, 22}, nullptr},
    {"teen", "teens", n, {8, 28}, nullptr},
    {"teenager", "teenagers", n, {8, 28}, nullptr},
    {"adult", "adults", n, grown, nullptr},
    {"person", "people", n, any_age, nullptr},
    {"mother", "mothers", f, grown, "father"},
    {"father", "fathers", m, grown, "mother"},
    {"mom", "moms", f, grown, "dad"},
    {"dad", "dads", m, grown, "mom"},
    {"grandmother", "grandmothers", f, {30, oldest}, "grandfather"},
    {"grandfather", "grandfathers", m, {30, oldest}, "grandmother"},
    {"grandma", "grandmas", f, {30, oldest}, "grandpa"},
    {"grandpa", "grandpas", m, {30, oldest}, "grandma"},
    {"daughter", "daughters", f, any_age, "son"},
    {"son", "sons", m, any_age, "daughter"},
    {"sister", "sisters", f, any_age, "brother"},
    {"brother", "brothers", m, any_age, "sister"},
    {"actress", "actresses", f, any_age, "actor"},
    {"actor", "actors", n, any_age, nullptr},
    {"waitress", "waitresses", f, grown, "waiter"},
    {"waiter", "waiters", m, grown, "waitress"},
    {"businesswoman", "businesswomen", f, grown, "businessman"},
    {"businessman", "businessmen", m, grown, "businesswoman"},
    {"policewoman", "policewomen", f, grown, "policeman"},
    {"policeman", "policemen", m, grown, "policewoman"},
    // Clothes and customs come with these: they are counted, and left alone.
    {"husband", "husbands", m, any_age, nullptr},
    {"wife", "wives", f, any_age, nullptr},
    {"girlfriend", "girlfriends", f, any_age, nullptr},
    {"boyfriend", "boyfriends", m, any_age, nullptr},
    {"bride", "brides", f, any_age, nullptr},
    {"groom", "grooms", m, any_age, nullptr},
    {"queen", "queens", f, any_age, nullptr},
    {"king", "kings", m, any_age, nullptr},
    {"princess", "princesses", f, any_age, nullptr},
    {"prince", "princes", m, any_age, nullptr},
    {"nun", "nuns", f, any_age, nullptr},
    {"geisha", "geishas", f, any_age, nullptr},
    {"couple", "couples", n, any_age, nullptr, 2},
    {"group", "groups", n, any_age, nullptr, many},
    {"crowd", "crowds", n, any_age, nullptr, many},
    {"family", "families", n, any_age, nullptr, many},
    {"team", "teams", n, any_age, nullptr, many},
    {"", "guys", n, any_age, nullptr}, // said of everybody
};

// Any gender, any age.
constexpr const char *roles =
    " model singer dancer player worker soldier chef cook doctor nurse student teacher artist musician guitarist "
    "pianist drummer performer athlete runner skier surfer snowboarder skateboarder cyclist biker rider "
    "driver pilot farmer fisherman fireman firefighter officer athlete swimmer skater photographer friend "
    "someone somebody figure individual customer passenger tourist hiker dj reporter scientist priest monk "
    "cowboy pirate warrior knight wizard witch clown cosplayer character ";

constexpr PersonNoun role = {"", "", n, any_age, nullptr};

constexpr AgeAdjective adjectives[] = {
    {"young", {0, 45}, false},        {"little", {0, 13}, false},      {"small", {0, 13}, false},
    {"tiny", {0, 10}, false},         {"old", {45, oldest}, false},    {"elderly", {48, oldest}, false},
    {"senior", {48, oldest}, false},  {"aged", {45, oldest}, false},   {"older", {38, oldest}, false},
    {"middle-aged", {30, 70}, false}, {"teenage", {8, 27}, false},     {"teenaged", {8, 27}, false},
    {"teen", {8, 27}, false},         {"adult", {14, oldest}, false},  {"grown", {14, oldest}, false},
    {"baby", {0, 5}, true},           {"infant", {0, 4}, true},        {"newborn", {0, 4}, true},
    {"toddler", {0, 8}, true},        {"mature", {25, oldest}, false},
};

constexpr const char *numbers[] = {"",      "one",   "two",  "three", "four",   "five",  "six",
                                   "seven", "eight", "nine", "ten",   "eleven", "twelve"};

} // namespace

std::optional<FoundNoun> find_person_noun(const std::string &word) {
    if (word.empty())
        return {};
    for (const PersonNoun &noun : nouns) {
        if (word == noun.singular)
            return FoundNoun{&noun, false};
        if (word == noun.plural)
            return FoundNoun{&noun, true};
    }
    if (is_one_of(word, roles))
        return FoundNoun{&role, false};
    if (word.back() == 's' && is_one_of(word.substr(0, word.size() - 1), roles))
        return FoundNoun{&role, true};
    return {};
}

const PersonNoun *opposite_of(const PersonNoun &noun) { return noun.opposite ? find_person_noun(noun.opposite)->noun : nullptr; }

std::string noun_for(double age, Gender gender, bool plural) {
    if (age > 0 && age < 2)
        return plural ? "babies" : "baby";
    if (age > 0 && age < 4)
        return plural ? "toddlers" : "toddler";
    const bool is_child = age > 0 && age < 13, is_teenager = age >= 13 && age < 18;
    if (gender == Gender::unknown) {
        if (is_child)
            return plural ? "children" : "child";
        if (is_teenager)
            return plural ? "teenagers" : "teenager";
        return plural ? "people" : "person";
    }
    const bool male = gender == Gender::male;
    if (is_child || is_teenager)
        return std::string(is_teenager ? "teenage " : "") + (male ? "boy" : "girl") + (plural ? "s" : "");
    return male ? (plural ? "men" : "man") : (plural ? "women" : "woman");
}

std::string age_adjective_for(double age) {
    if (age >= 60)
        return "old";
    return age >= 18 && age < 36 ? "young" : "";
}

const AgeAdjective *find_age_adjective(const std::string &word) {
    for (const AgeAdjective &adjective : adjectives)
        if (word == adjective.word)
            return &adjective;
    return nullptr;
}

int number_of(const std::string &word) {
    for (int i = 1; i <= 12; ++i)
        if (word == numbers[i] || word == std::to_string(i))
            return i;
    return 0;
}

std::string number_word(int number) { return number >= 1 && number <= 12 ? numbers[number] : std::to_string(number); }

} // namespace aianime::caption
