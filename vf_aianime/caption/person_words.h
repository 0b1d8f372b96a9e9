// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "caption/language.h"
#include "caption/person.h"

namespace aianime::caption {

// "a woman", "a baby", "a teenage boy", without the article; "person" where nothing is known. Grown-ups with their age: "young
// woman", "old man".
std::string noun_of(const Person &person);

// What a face shows for a while, the most important first: "closed eyes", "smile", "open mouth" as tags; "with closed eyes",
// "smiling", "with an open mouth" in a sentence. What a face shows most of the time (open eyes, closed mouth, neutral) is not said.
std::vector<std::string> state_words(const Person &person, Language language);

// Of the person, to be said where only they are seen ("1girl, closed eyes", "a young woman with closed eyes").
std::string person_text(const Person &person, Language language);

// The state words that hold for all of the people, who may be seen anywhere in the picture.
std::vector<std::string> common_state_words(const std::vector<Person> &people, Language language);

// Whether `text` says what a state word says, in other words perhaps: "smiling" for "smile", "her eyes closed" for "closed eyes".
bool says(const std::string &text, const std::string &state_word);

} // namespace aianime::caption
