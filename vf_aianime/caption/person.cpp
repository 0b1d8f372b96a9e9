// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/person.h"

#include <algorithm>

namespace aianime::caption {

namespace {

constexpr double gender_margin = 0.15;     // on either side of one half
constexpr double small_child_margin = 0.4; // the same below small_child_age
constexpr double small_child_age = 4;      // years
constexpr double sure_of_an_attribute = 0.8;

bool starts_with(const std::string &text, const char *begin) { return text.rfind(begin, 0) == 0; }

} // namespace

Gender gender_of(const Person &person) {
    const double margin = person.age > 0 && person.age < small_child_age ? small_child_margin : gender_margin;
    if (person.male > 0.5 + margin)
        return Gender::male;
    return person.male < 0.5 - margin ? Gender::female : Gender::unknown;
}

std::optional<bool> beard_of(const Person &person) {
    for (const Attribute &attribute : person.attributes) {
        if (attribute.name != "beard" || attribute.probability < sure_of_an_attribute)
            continue;
        const std::string &value = attribute.value;
        if (value == "yes" || value == "true" || starts_with(value, "beard"))
            return true;
        if (value == "false" || starts_with(value, "no") || starts_with(value, "clean"))
            return false;
    }
    return {};
}

std::string mood_of(const Person &person) {
    return !person.eyes_open && person.expression == "sad" ? "neutral" : person.expression;
}

bool all_eyes_closed(const std::vector<Person> &people) {
    return !people.empty() && std::none_of(people.begin(), people.end(), [](const Person &p) { return p.eyes_open; });
}

bool all_eyes_open(const std::vector<Person> &people) {
    return !people.empty() && std::all_of(people.begin(), people.end(), [](const Person &p) { return p.eyes_open; });
}

double tallest_face(const std::vector<Person> &people) {
    double tallest = 0;
    for (const Person &person : people)
        tallest = std::max(tallest, static_cast<double>(person.box.height));
    return tallest;
}

std::vector<Person> from_left_to_right(std::vector<Person> people) {
    std::stable_sort(people.begin(), people.end(),
                     [](const Person &a, const Person &b) { return a.box.x + a.box.width / 2 < b.box.x + b.box.width / 2; });
    return people;
}

} // namespace aianime::caption
