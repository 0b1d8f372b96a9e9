// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/person_words.h"

#include <algorithm>

#include "caption/mood_words.h"
#include "caption/person_nouns.h"
#include "caption/tag_correction.h"
#include "caption/tag_list.h"
#include "caption/word_text.h"

namespace aianime::caption {

namespace {

// What says the same, as whole words; * stands for one word more or none.
struct SameWords {
    const char *words;
    std::vector<std::vector<const char *>> also;
};

const SameWords *find_same_words(const std::string &word) {
    static const SameWords table[] = {
        {" closed-eyes with-closed-eyes ",
         {{"closed", "eyes"},
          {"eyes", "closed"},
          {"eyes", "are", "closed"},
          {"eyes", "shut"},
          {"closing", "*", "eyes"},
          {"eyes", "tightly", "closed"}}},
        {" smile smiling ", {{"smile"}, {"smiling"}, {"smiles"}, {"grin"}, {"grinning"}, {"laughing"}}},
        {" open-mouth with-an-open-mouth ",
         {{"open", "mouth"}, {"mouth", "open"}, {"mouth", "is", "open"}, {"mouth", "wide", "open"}}},
    };
    std::string name = word;
    std::replace(name.begin(), name.end(), ' ', '-');
    for (const SameWords &same : table)
        if (is_one_of(name, same.words))
            return &same;
    return nullptr;
}

bool matches(const WordText &text, size_t at, const std::vector<const char *> &pattern) {
    for (const char *word : pattern) {
        if (std::string(word) == "*") {
            at += text.at(at) != "eyes";
            continue;
        }
        if (text.at(at++) != word)
            return false;
    }
    return true;
}

bool holds(const WordText &text, const std::vector<const char *> &pattern) {
    for (size_t i = 0; i < text.size(); ++i)
        if (matches(text, i, pattern))
            return true;
    return false;
}

} // namespace

std::string noun_of(const Person &person) {
    const std::string noun = noun_for(person.age, gender_of(person), false);
    const std::string adjective = age_adjective_for(person.age);
    return adjective.empty() || (noun == "person" && adjective == "young") ? noun : adjective + " " + noun;
}

std::vector<std::string> state_words(const Person &person, Language language) {
    const bool tags = language == Language::tags;
    const std::string mood = mood_of(person);
    std::vector<std::string> words;
    if (!person.eyes_open)
        words.push_back(tags ? "closed eyes" : "with closed eyes");
    if (mood == "happy")
        words.push_back(tags ? "smile" : "smiling");
    else if (!mood_adjective(mood).empty())
        words.push_back(tags ? mood_tag(mood) : "looking " + mood_adjective(mood));
    if (person.mouth_open)
        words.push_back(tags ? "open mouth" : "with an open mouth");
    return words;
}

std::string person_text(const Person &person, Language language) {
    if (language == Language::tags) {
        const Gender gender = gender_of(person);
        std::vector<std::string> tags = count_tags(gender == Gender::female, gender == Gender::male);
        if (person.age > 0 && person.age < 13)
            tags.push_back(noun_for(person.age, Gender::unknown, false));
        if (person.age >= 60)
            tags.push_back(gender == Gender::unknown ? "old" : noun_of(person));
        for (const std::string &word : state_words(person, language))
            tags.push_back(word);
        if (beard_of(person) == true)
            tags.push_back("beard");
        return joined_tags(tags);
    }
    const std::string noun = noun_of(person);
    std::string text = article_for(noun) + " " + noun + (beard_of(person) == true ? " with a beard" : "");
    for (const std::string &word : state_words(person, language))
        text += (word.rfind("with ", 0) == 0 ? " " : ", ") + word;
    return text;
}

std::vector<std::string> common_state_words(const std::vector<Person> &people, Language language) {
    if (people.empty())
        return {};
    std::vector<std::string> common = state_words(people[0], language);
    for (const Person &person : people) {
        const std::vector<std::string> words = state_words(person, language);
        const auto is_lacking = [&](const std::string &word) { return std::find(words.begin(), words.end(), word) == words.end(); };
        common.erase(std::remove_if(common.begin(), common.end(), is_lacking), common.end());
    }
    return common;
}

bool says(const std::string &text, const std::string &state_word) {
    const WordText words(tag_key(text));
    if (const SameWords *same = find_same_words(state_word))
        return std::any_of(same->also.begin(), same->also.end(), [&](const auto &pattern) { return holds(words, pattern); });
    const WordText wanted(tag_key(state_word));
    std::vector<const char *> pattern;
    for (size_t i = 0; i < wanted.size(); ++i)
        pattern.push_back(wanted.at(i).c_str());
    return !pattern.empty() && holds(words, pattern);
}

} // namespace aianime::caption
