// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/plan_file.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "io/error.h"
#include "io/json.h"

namespace aianime::pipeline {

namespace {

using io::Json;

constexpr size_t most_bytes = size_t{64} << 20;
constexpr double most_seconds = 1e9;
constexpr int64_t least = std::numeric_limits<int64_t>::min() + 1, most = std::numeric_limits<int64_t>::max();

double seconds(const Json &json, const char *key) { return json.at(key).number(0, most_seconds); }

FaceState read_state(const Json &json) {
    std::vector<std::string> names(expression_names.begin(), expression_names.end());
    const std::string expression = json.at("expression").choice(names);
    FaceState state;
    state.eyes_open = json.at("eyes").choice({"open", "closed"}) == "open";
    state.mouth_open = json.at("mouth").choice({"open", "closed"}) == "open";
    state.expression = static_cast<size_t>(std::find(names.begin(), names.end(), expression) - names.begin());
    return state;
}

template <typename T>
void refuse_disorder(const Json &json, const std::vector<T> &list) {
    const auto wrong = std::adjacent_find(list.begin(), list.end(), [](const T &a, const T &b) { return !(a.time < b.time); });
    if (wrong != list.end())
        throw Error(AIANIME_BAD_DATA, json.where() + ": times must rise");
}

std::vector<FaceChange> read_changes(const Json &json) {
    std::vector<FaceChange> changes;
    for (size_t i = 0; i < json.size(); i++) {
        const Json one = json.at(i);
        one.only({"time", "eyes", "mouth", "expression"});
        changes.push_back({seconds(one, "time"), read_state(one)});
    }
    refuse_disorder(json, changes);
    return changes;
}

std::vector<Sighting> read_sightings(const Json &json) {
    std::vector<Sighting> sightings;
    const auto share = [](const Json &one, const char *key) { return static_cast<float>(one.at(key).number(-1, 2)); };
    for (size_t i = 0; i < json.size(); i++) {
        const Json one = json.at(i);
        one.only({"time", "x", "y", "width", "height"});
        sightings.push_back({seconds(one, "time"), {share(one, "x"), share(one, "y"), share(one, "width"), share(one, "height")}});
    }
    refuse_disorder(json, sightings);
    return sightings;
}

std::vector<FaceAttribute> read_attributes(const Json &json) {
    std::vector<FaceAttribute> attributes;
    for (const std::string &name : json.keys()) {
        const Json one = json.at(name);
        FaceAttribute attribute{name, one.keys(), {}};
        for (const std::string &value : attribute.classes)
            attribute.probabilities.push_back(static_cast<float>(one.at(value).number(0, 1)));
        if (attribute.classes.empty())
            throw Error(AIANIME_BAD_DATA, one.where() + ": has no classes");
        attributes.push_back(std::move(attribute));
    }
    return attributes;
}

std::vector<TimedPrompt> read_prompts(const Json &json) {
    std::vector<TimedPrompt> prompts;
    for (size_t i = 0; i < json.size(); i++) {
        const Json one = json.at(i);
        one.only({"time", "text"});
        prompts.push_back({seconds(one, "time"), one.at("text").string()});
    }
    refuse_disorder(json, prompts);
    return prompts;
}

PersonFacts read_person(const Json &json) {
    json.only({"track", "male", "age", "attributes", "descriptor", "texts", "changes", "sightings"});
    PersonFacts person;
    person.track = static_cast<int>(json.at("track").integer(0, 1000000));
    person.male = static_cast<float>(json.at("male").number(0, 1));
    person.age = static_cast<float>(json.at("age").number(0, 150));
    if (json.has("attributes"))
        person.attributes = read_attributes(json.at("attributes"));
    const Json descriptor = json.at("descriptor");
    if (descriptor.size() != person.descriptor.size())
        throw Error(AIANIME_BAD_DATA, descriptor.where() + ": has " + std::to_string(descriptor.size()) + " numbers, not 128");
    for (size_t i = 0; i < person.descriptor.size(); i++)
        person.descriptor[i] = static_cast<float>(descriptor.at(i).number(-100, 100));
    if (json.has("texts"))
        person.texts = read_prompts(json.at("texts"));
    person.changes = read_changes(json.at("changes"));
    person.sightings = read_sightings(json.at("sightings"));
    return person;
}

std::vector<PersonFacts> read_people(const Json &json) {
    std::vector<PersonFacts> people;
    for (size_t i = 0; i < json.size(); i++) {
        people.push_back(read_person(json.at(i)));
        for (size_t k = 0; k < i; k++)
            if (people[k].track == people[i].track)
                throw Error(AIANIME_BAD_DATA, json.at(i).where() + ".track: is that of another person of the shot");
    }
    return people;
}

Plan::Entry read_shot(const Json &json) {
    json.only({"number", "first_pts", "begin", "end", "generated", "key_frame", "caption_before", "caption", "prompts", "people"});
    Plan::Entry entry;
    entry.facts.first_pts = json.at("first_pts").integer(least, most);
    const Json key = json.at("key_frame");
    key.only({"pts", "time", "score", "picture"});
    entry.facts.key_pts = key.at("pts").integer(least, most);
    entry.facts.key_score = key.has("score") ? key.at("score").number(-1e300, 1e300) : 0;
    entry.has_caption = json.has("caption");
    if (entry.has_caption)
        entry.facts.caption = json.at("caption").string();
    entry.facts.raw_caption = json.has("caption_before") ? json.at("caption_before").string() : entry.facts.caption;
    entry.has_prompts = json.has("prompts") && json.at("prompts").size() > 0;
    if (entry.has_prompts)
        entry.facts.prompts = read_prompts(json.at("prompts"));
    if (json.has("people"))
        entry.facts.people = read_people(json.at("people"));
    return entry;
}

void check_time_base(const Json &json, aianime_rational time_base) {
    const std::string text = json.at("time_base").string();
    const std::string wanted = std::to_string(time_base.num) + "/" + std::to_string(time_base.den);
    if (text != wanted)
        throw Error(AIANIME_BAD_DATA, json.where() + ": the plan was made for a video whose timestamps count in units of " +
                                          io::quoted(text) + " s, this one's are " + wanted);
}

} // namespace

const Plan::Entry *Plan::around(int64_t pts) const {
    const auto after = std::upper_bound(shots.begin(), shots.end(), pts,
                                        [](int64_t value, const Entry &entry) { return value < entry.facts.first_pts; });
    return after == shots.begin() ? nullptr : &*std::prev(after);
}

const Plan::Entry *Plan::beginning_at(int64_t pts) const {
    const Entry *entry = around(pts);
    return entry && entry->facts.first_pts == pts ? entry : nullptr;
}

Plan load_plan(const std::string &path, aianime_rational time_base) {
    const Json json = Json::load(path, most_bytes);
    json.only({"schema", "template", "pack", "captioner", "seed", "time_base", "width", "height", "shots"});
    json.at("schema").integer(1, 1);
    check_time_base(json, time_base);
    Plan plan;
    const Json shots = json.at("shots");
    for (size_t i = 0; i < shots.size(); i++) {
        plan.shots.push_back(read_shot(shots.at(i)));
        if (i > 0 && plan.shots[i].facts.first_pts <= plan.shots[i - 1].facts.first_pts)
            throw Error(AIANIME_BAD_DATA, shots.at(i).where() + ".first_pts: is not behind that of the shot before");
        plan.shots[i].facts.number = static_cast<int>(i);
    }
    return plan;
}

} // namespace aianime::pipeline
