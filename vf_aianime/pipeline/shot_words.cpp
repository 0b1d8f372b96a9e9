// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_words.h"

#include <algorithm>

#include "caption/correction.h"
#include "caption/timed_prompts.h"

namespace aianime::pipeline {

namespace {

caption::Language language_of(const Settings &settings) {
    return settings.style.caption.language == PromptLanguage::tags ? caption::Language::tags : caption::Language::sentence;
}

caption::Person person_of(const PersonFacts &facts, const PersonAt &there) {
    caption::Person person;
    person.track = facts.track;
    person.male = facts.male;
    person.age = facts.age;
    person.eyes_open = there.state.eyes_open;
    person.mouth_open = there.state.mouth_open;
    person.expression = expression_names[there.state.expression];
    person.box = there.box;
    for (const FaceAttribute &attribute : facts.attributes)
        person.attributes.push_back(
            {attribute.name, attribute.classes[attribute.best()], attribute.probabilities[attribute.best()]});
    return person;
}

// The change that holds at a time; 0 before all of them.
size_t first_from(const std::vector<FaceChange> &changes, double from) {
    const auto later = std::upper_bound(changes.begin(), changes.end(), from,
                                        [](double time, const FaceChange &change) { return time < change.time; });
    return later == changes.begin() ? 0 : static_cast<size_t>(later - changes.begin()) - 1;
}

// What the parts of caption/ need to know of the shot.
caption::ShotWords words_of(const ShotFacts &facts, const Settings &settings, double from) {
    caption::ShotWords words;
    words.style = settings.style.positive;
    words.caption = facts.caption;
    words.form = caption::form_of(facts.caption);
    words.language = language_of(settings);
    words.caption_weight = settings.style.caption.weight;
    words.begin = facts.begin;
    words.end = facts.end;
    if (!settings.style.caption.face_attributes)
        return words;
    words.people = persons_at(facts, facts.key_time);
    for (const PersonFacts &person : facts.people)
        for (size_t i = first_from(person.changes, from); i < person.changes.size(); i++) {
            const FaceState &state = person.changes[i].state;
            words.changes.push_back(
                {person.changes[i].time, person.track, state.eyes_open, state.mouth_open, expression_names[state.expression]});
        }
    std::stable_sort(words.changes.begin(), words.changes.end(),
                     [](const caption::StateChange &a, const caption::StateChange &b) { return a.time < b.time; });
    return words;
}

std::vector<TimedPrompt> timed(const std::vector<caption::TimedText> &texts) {
    std::vector<TimedPrompt> prompts;
    for (const caption::TimedText &text : texts)
        prompts.push_back({text.time, text.text});
    return prompts;
}

} // namespace

std::vector<caption::Person> persons_at(const ShotFacts &facts, double time) {
    std::vector<caption::Person> persons;
    for (const PersonAt &there : people_at(facts.people, time)) {
        const auto known = std::find_if(facts.people.begin(), facts.people.end(),
                                        [&](const PersonFacts &person) { return person.track == there.track; });
        persons.push_back(person_of(*known, there));
    }
    return persons;
}

std::string corrected_caption(const ShotFacts &facts, const Settings &settings) {
    // The built-in captioner looks at nothing else.
    if (!settings.style.caption.face_attributes || settings.caption == CaptionSource::attributes)
        return facts.raw_caption;
    return caption::corrected(facts.raw_caption, persons_at(facts, facts.key_time), caption::form_of(facts.raw_caption));
}

std::vector<TimedPrompt> prompts_of(const ShotFacts &facts, const Settings &settings, double from,
                                    const caption::TokenCount &tokens) {
    return timed(caption::prompts_over_time(words_of(facts, settings, from), tokens));
}

std::vector<TimedPrompt> texts_of(const ShotFacts &facts, int track, const Settings &settings, double from) {
    if (facts.people.size() < 2 || !settings.style.caption.face_attributes)
        return {};
    return timed(caption::person_texts_over_time(words_of(facts, settings, from), track));
}

} // namespace aianime::pipeline
