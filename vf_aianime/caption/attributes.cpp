// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/attributes.h"

#include <algorithm>
#include <map>

#include "caption/mood_words.h"
#include "caption/person_nouns.h"
#include "caption/person_words.h"
#include "caption/tag_correction.h"
#include "caption/tag_list.h"
#include "caption/word_text.h"

namespace aianime::caption {

namespace {

constexpr double close_up = 0.5;
constexpr double sure_scenery = 0.75; // share of sky and plants that leaves no room for people near by
constexpr double some_scenery = 0.45;
constexpr double theme = 0.55;   // share of a colour that a picture is known by
constexpr size_t most_named = 4; // people beyond are a group

int count_of(const std::vector<Person> &people, Gender gender) {
    return static_cast<int>(std::count_if(people.begin(), people.end(), [&](const Person &p) { return gender_of(p) == gender; }));
}

// Only pictures that are nearly all plants and sky are sure to be without people.
void add_scenery(const vision::PictureFacts &facts, std::vector<std::string> &parts) {
    const double share = facts.sky + facts.plants;
    if (facts.place != vision::Place::outdoors || share < some_scenery)
        return;
    if (share >= sure_scenery)
        parts.push_back("no humans");
    parts.push_back("scenery");
}

void add_place(const vision::PictureFacts &facts, std::vector<std::string> &parts) {
    if (facts.place != vision::Place::unknown)
        parts.push_back(facts.place == vision::Place::indoors ? "indoors" : "outdoors");
}

void add_light(const vision::PictureFacts &facts, std::vector<std::string> &parts) {
    using vision::Brightness;
    if (facts.backlit)
        parts.push_back("backlighting");
    if (facts.cast != vision::Cast::none)
        parts.push_back(facts.cast == vision::Cast::warm ? "warm light" : "cold light");
    if (facts.low_key || facts.brightness == Brightness::dark)
        parts.push_back("dark");
    else if (facts.brightness == Brightness::dim)
        parts.push_back("dim lighting");
    else if (facts.high_key || facts.brightness == Brightness::bright)
        parts.push_back("bright");
}

// Colours of the rainbow that the picture has; greys and skin say nothing.
std::vector<vision::NamedColor> themes(const vision::PictureFacts &facts) {
    std::vector<vision::NamedColor> colors;
    for (const vision::NamedColor &color : facts.palette)
        if (!is_one_of(color.name, " black gray white beige brown "))
            colors.push_back(color);
    return colors;
}

void add_color_tags(const vision::PictureFacts &facts, std::vector<std::string> &tags) {
    if (facts.grey)
        tags.insert(tags.end(), {"greyscale", "monochrome"});
    else if (facts.monochrome)
        tags.push_back("monochrome");
    else if (facts.colorful)
        tags.push_back("colorful");
    if (facts.monochrome || facts.grey)
        return;
    for (const vision::NamedColor &color : themes(facts))
        if (color.share >= theme)
            tags.push_back(color.name + " theme");
}

void add_background(const vision::PictureFacts &facts, std::vector<std::string> &tags) {
    if (facts.plain_background)
        tags.push_back("simple background");
    if (facts.blurred_background)
        tags.push_back("blurry background");
}

std::string tags_of(const std::vector<Person> &people, const vision::PictureFacts &facts, bool says_state) {
    std::vector<std::string> tags = count_tags(count_of(people, Gender::female), count_of(people, Gender::male));
    if (people.empty())
        add_scenery(facts, tags);
    if (people.size() == 1) {
        tags.push_back("solo");
        Person still = people[0];
        still.eyes_open = true;
        still.mouth_open = false;
        still.expression = "neutral";
        for (const std::string &tag : split_tags(person_text(says_state ? people[0] : still, Language::tags)))
            if (!is_count_tag(tag))
                tags.push_back(tag);
    } else if (says_state)
        for (const std::string &word : common_state_words(people, Language::tags))
            tags.push_back(word);
    if (const std::string frame = framing(people); !frame.empty())
        tags.push_back(frame);
    add_place(facts, tags);
    add_light(facts, tags);
    if (!people.empty())
        add_background(facts, tags);
    add_color_tags(facts, tags);
    return joined_tags(tags);
}

// "two young women and a man", the largest group first, then as they come.
std::string company(const std::vector<Person> &people) {
    if (people.size() > most_named)
        return "a group of people";
    std::vector<std::pair<std::string, int>> groups;
    for (const Person &person : from_left_to_right(people)) {
        const std::string noun = noun_for(person.age, gender_of(person), false);
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto &group) { return group.first == noun; });
        if (found == groups.end())
            groups.push_back({noun, 1});
        else
            ++found->second;
    }
    std::stable_sort(groups.begin(), groups.end(), [](const auto &a, const auto &b) { return a.second > b.second; });
    std::string text;
    for (size_t i = 0; i < groups.size(); ++i) {
        const auto &[noun, count] = groups[i];
        const auto member = std::find_if(people.begin(), people.end(), [&, name = noun](const Person &p) {
            return noun_for(p.age, gender_of(p), false) == name;
        });
        text += i == 0 ? "" : i + 1 == groups.size() ? " and " : ", ";
        text += count == 1 ? article_for(noun) + " " + noun
                           : number_word(count) + " " + noun_for(member->age, gender_of(*member), true);
    }
    return text;
}

// "a smiling young woman with closed eyes".
std::string single(const Person &person, bool says_state) {
    std::string noun = noun_of(person), behind = beard_of(person) == true ? " with a beard" : "";
    if (!says_state)
        return article_for(noun) + " " + noun + behind;
    const std::string mood = mood_of(person);
    if (mood == "happy")
        noun = "smiling " + noun;
    else if (!mood_adjective(mood).empty())
        behind += " looking " + mood_adjective(mood);
    if (!person.eyes_open)
        behind += std::string(behind.find(" with ") == std::string::npos ? " with" : " and") + " closed eyes";
    if (person.mouth_open)
        behind += std::string(behind.find(" with ") == std::string::npos ? " with" : " and") + " an open mouth";
    return article_for(noun) + " " + noun + behind;
}

std::string framed(const std::string &frame, const std::string &who) {
    if (frame == "close-up" || frame == "portrait")
        return "a " + frame + " of " + who;
    if (frame == "upper body")
        return "an upper body shot of " + who;
    return frame == "full body" ? "a full body shot of " + who : who;
}

std::string sentence_of(const std::vector<Person> &people, const vision::PictureFacts &facts, bool says_state) {
    std::vector<std::string> parts;
    if (people.size() == 1)
        parts.push_back(framed(framing(people), single(people[0], says_state)));
    else if (!people.empty()) {
        std::string who = company(people);
        for (const std::string &word : says_state ? common_state_words(people, Language::sentence) : std::vector<std::string>())
            who += " " + word;
        parts.push_back(framed(framing(people) == "close-up" ? "close-up" : "", who));
    } else if (facts.place == vision::Place::outdoors && facts.sky + facts.plants >= some_scenery)
        parts.push_back("a landscape");
    add_place(facts, parts);
    std::vector<std::string> light;
    add_light(facts, light);
    for (const std::string &word : light)
        parts.push_back(word == "backlighting" ? "backlit" : word);
    if (!people.empty() && (facts.plain_background || facts.blurred_background))
        parts.push_back(facts.plain_background ? "plain background" : "blurred background");
    const std::vector<vision::NamedColor> colors = themes(facts);
    if (facts.grey)
        parts.push_back("black and white");
    else if (!facts.monochrome && !colors.empty())
        parts.push_back(colors[0].name + (colors.size() > 1 ? " and " + colors[1].name : "") + " colors");
    return joined_tags(parts);
}

} // namespace

std::string framing(const std::vector<Person> &people) {
    const auto tallest = std::max_element(people.begin(), people.end(),
                                          [](const Person &a, const Person &b) { return a.box.height < b.box.height; });
    if (tallest == people.end() || tallest->box.height <= 0)
        return "";
    const double height = tallest->box.height, below = (1 - tallest->box.br().y) / height;
    if (height >= close_up)
        return "close-up";
    if (below < 1.8)
        return "portrait";
    if (below < 3.6)
        return "upper body";
    return below < 5.5 ? "cowboy shot" : below < 6.5 ? "" : "full body";
}

std::string described(const std::vector<Person> &people, const vision::PictureFacts &facts, Language language, bool says_state) {
    return language == Language::tags ? tags_of(people, facts, says_state) : sentence_of(people, facts, says_state);
}

} // namespace aianime::caption
