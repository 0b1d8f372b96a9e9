// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/timed_prompts.h"

#include <algorithm>
#include <set>

#include "caption/correction.h"
#include "caption/person_words.h"

namespace aianime::caption {

namespace {

bool alike(const StateChange &a, const StateChange &b) {
    return a.eyes_open == b.eyes_open && a.mouth_open == b.mouth_open && a.expression == b.expression;
}

// The changes of one person by time, without repetitions and what passes too soon.
std::vector<StateChange> states_of(const ShotWords &shot, int track) {
    std::vector<StateChange> all, kept;
    for (const StateChange &change : shot.changes)
        if (change.track == track)
            all.push_back(change);
    std::stable_sort(all.begin(), all.end(), [](const StateChange &a, const StateChange &b) { return a.time < b.time; });
    for (size_t i = 0; i < all.size(); ++i) {
        // A state that is told again after a moment of another one has lasted all the time.
        if (!kept.empty() && alike(kept.back(), all[i]))
            continue;
        size_t next = i + 1;
        while (next < all.size() && alike(all[next], all[i]))
            ++next;
        const double until = next < all.size() ? all[next].time : shot.end;
        if (until - all[i].time >= shot.shortest || (kept.empty() && next == all.size()))
            kept.push_back(all[i]);
    }
    return kept;
}

// A person as they look at a time.
Person person_at(const Person &person, const std::vector<StateChange> &states, double time) {
    if (states.empty())
        return person;
    const StateChange *now = &states.front();
    for (const StateChange &state : states)
        if (state.time <= time)
            now = &state;
    Person result = person;
    result.eyes_open = now->eyes_open;
    result.mouth_open = now->mouth_open;
    result.expression = now->expression;
    return result;
}

void add(std::vector<TimedText> &texts, double time, const std::string &text) {
    if (texts.empty() || texts.back().text != text)
        texts.push_back({time, text});
}

// When something is other than before: the shot's beginning, and changes in it.
std::set<double> times_of(const ShotWords &shot, const std::vector<std::vector<StateChange>> &states) {
    std::set<double> times = {shot.begin};
    for (const std::vector<StateChange> &person : states)
        for (size_t i = 1; i < person.size(); ++i) // the first one holds before
            if (person[i].time > shot.begin && person[i].time < shot.end)
                times.insert(person[i].time);
    return times;
}

std::string prompt_of(const ShotWords &shot, const std::vector<Person> &people, const TokenCount &count) {
    PromptParts parts;
    parts.style = shot.style;
    parts.caption = corrected(shot.caption, people, shot.form);
    parts.words = common_state_words(people, shot.language);
    parts.caption_weight = shot.caption_weight;
    parts.words_weight = shot.words_weight;
    return assembled(parts, count);
}

} // namespace

std::vector<TimedText> prompts_over_time(const ShotWords &shot, const TokenCount &count) {
    std::vector<std::vector<StateChange>> states;
    for (const Person &person : shot.people)
        states.push_back(states_of(shot, person.track));
    std::vector<TimedText> prompts;
    for (const double time : times_of(shot, states)) {
        std::vector<Person> people;
        for (size_t i = 0; i < shot.people.size(); ++i)
            people.push_back(person_at(shot.people[i], states[i], time));
        add(prompts, time, prompt_of(shot, people, count));
    }
    return prompts;
}

std::vector<TimedText> person_texts_over_time(const ShotWords &shot, int track) {
    std::vector<TimedText> texts;
    for (const Person &person : shot.people) {
        if (person.track != track || !texts.empty())
            continue;
        const std::vector<StateChange> states = states_of(shot, track);
        for (const double time : times_of(shot, {states}))
            add(texts, time, person_text(person_at(person, states, time), shot.language));
    }
    return texts;
}

} // namespace aianime::caption
