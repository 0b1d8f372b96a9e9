// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "io/text.h"

namespace aianime::pipeline {

namespace {

cv::Rect2f between(const cv::Rect2f &a, const cv::Rect2f &b, float position) {
    const auto mix = [position](float x, float y) { return x + position * (y - x); };
    return {mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height)};
}

FaceState state_at(const std::vector<FaceChange> &changes, double time) {
    FaceState state = changes.empty() ? FaceState() : changes.front().state;
    for (const FaceChange &change : changes)
        if (change.time <= time)
            state = change.state;
    return state;
}

std::string text_at(const std::vector<TimedPrompt> &texts, double time) {
    std::string text = texts.empty() ? "" : texts.front().text;
    for (const TimedPrompt &one : texts)
        if (one.time <= time)
            text = one.text;
    return text;
}

// False: not there.
bool place_at(const std::vector<Sighting> &sightings, double time, double gap, cv::Rect2f &box) {
    const auto after = std::lower_bound(sightings.begin(), sightings.end(), time,
                                        [](const Sighting &sighting, double t) { return sighting.time < t; });
    if (after == sightings.end() || after == sightings.begin()) {
        if (sightings.empty())
            return false;
        const Sighting &nearest = after == sightings.end() ? sightings.back() : sightings.front();
        box = nearest.box;
        return std::abs(nearest.time - time) <= gap / 2;
    }
    const Sighting &before = *(after - 1);
    const double span = after->time - before.time;
    if (span > gap) {
        box = time - before.time < after->time - time ? before.box : after->box;
        return std::min(time - before.time, after->time - time) <= gap / 2;
    }
    box = between(before.box, after->box, span > 0 ? static_cast<float>((time - before.time) / span) : 0);
    return true;
}

} // namespace

std::vector<PersonAt> people_at(const std::vector<PersonFacts> &people, double time, double gap) {
    std::vector<PersonAt> there;
    for (const PersonFacts &person : people) {
        cv::Rect2f box;
        if (place_at(person.sightings, time, gap, box))
            there.push_back({person.track, box, state_at(person.changes, time), text_at(person.texts, time)});
    }
    return there;
}

std::vector<TimedPrompt> continued(const std::vector<TimedPrompt> &earlier, const std::vector<TimedPrompt> &later, double from) {
    if (earlier.empty())
        return later;
    std::vector<TimedPrompt> all;
    for (const TimedPrompt &prompt : earlier)
        if (all.empty() || prompt.time < from)
            all.push_back(prompt);
    for (size_t i = 0; i < later.size(); i++) {
        const bool ends_before = i + 1 < later.size() && later[i + 1].time <= from;
        if (!ends_before && later[i].text != all.back().text)
            all.push_back({std::max(later[i].time, from), later[i].text});
    }
    return all;
}

std::string summary_of(const ShotFacts &facts) {
    char text[160];
    std::snprintf(text, sizeof text, "%.2f to %.2f s, key frame at %.2f s", facts.begin, facts.end, facts.key_time);
    std::string line = text;
    for (const PersonFacts &person : facts.people) {
        std::snprintf(text, sizeof text, ", track %d: %s, %.0f years", person.track, person.male > 0.5f ? "male" : "female",
                      person.age);
        line += text;
    }
    return facts.caption.empty() ? line : line + ": " + io::printable(facts.caption);
}

std::vector<WeightedPrompt> prompts_at(const std::vector<TimedPrompt> &prompts, double time, double fade) {
    if (prompts.empty())
        return {};
    std::vector<WeightedPrompt> shown = {{prompts.front().text, 1}};
    for (size_t i = 1; i < prompts.size(); i++) {
        const double since = time - prompts[i].time + fade / 2;
        if (since <= 0)
            break;
        const double share = fade > 0 ? std::min(since / fade, 1.0) : 1;
        for (WeightedPrompt &earlier : shown)
            earlier.weight *= 1 - share;
        shown.push_back({prompts[i].text, share});
    }
    shown.erase(std::remove_if(shown.begin(), shown.end(), [](const WeightedPrompt &prompt) { return prompt.weight <= 0; }),
                shown.end());
    return shown;
}

} // namespace aianime::pipeline
