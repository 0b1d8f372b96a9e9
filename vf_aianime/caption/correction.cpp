// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/correction.h"

#include <algorithm>

#include "caption/scene.h"
#include "caption/tag_correction.h"
#include "caption/tag_list.h"

namespace aianime::caption {

namespace {

// Hostile texts: what stands behind is left alone.
constexpr size_t most_bytes = 16 * 1024;
constexpr double words_of_a_tag = 3;

std::string corrected_sentence(const std::string &caption, const std::vector<Person> &people) {
    Scene scene(caption, people);
    correct_nouns(scene);
    correct_pronouns(scene);
    correct_beard(scene);
    correct_eyes(scene);
    correct_mood(scene);
    return scene.text.changed() ? scene.text.text() : caption;
}

} // namespace

std::string corrected(const std::string &caption, const std::vector<Person> &people, Language form) {
    if (people.empty() || caption.size() > most_bytes)
        return caption;
    return form == Language::tags ? corrected_tags(caption, people) : corrected_sentence(caption, people);
}

Language form_of(const std::string &caption) {
    const std::vector<std::string> parts = split_tags(caption);
    if (std::any_of(parts.begin(), parts.end(), [](const std::string &part) { return is_count_tag(tag_key(part)); }))
        return Language::tags;
    size_t words = 0;
    for (const std::string &part : parts)
        words += WordText(part).size();
    return parts.size() >= 2 && static_cast<double>(words) <= words_of_a_tag * static_cast<double>(parts.size())
               ? Language::tags
               : Language::sentence;
}

} // namespace aianime::caption
