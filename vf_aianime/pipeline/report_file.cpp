// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/report_file.h"

#include <cstdio>

#include "io/json_build.h"

namespace aianime::pipeline {

namespace {

using io::add;
using io::add_integer;
using io::add_seconds;

void add_changes(json_object *person, const std::vector<FaceChange> &changes) {
    json_object *list = io::list_in(person, "changes");
    for (const FaceChange &change : changes) {
        json_object *one = io::object_at_end(list);
        add_seconds(one, "time", change.time);
        add(one, "eyes", change.state.eyes_open ? "open" : "closed");
        add(one, "mouth", change.state.mouth_open ? "open" : "closed");
        add(one, "expression", expression_names[change.state.expression]);
    }
}

void add_sightings(json_object *person, const std::vector<Sighting> &sightings) {
    json_object *list = io::list_in(person, "sightings");
    for (const Sighting &sighting : sightings) {
        json_object *one = io::object_at_end(list);
        add_seconds(one, "time", sighting.time);
        add(one, "x", static_cast<double>(sighting.box.x));
        add(one, "y", static_cast<double>(sighting.box.y));
        add(one, "width", static_cast<double>(sighting.box.width));
        add(one, "height", static_cast<double>(sighting.box.height));
    }
}

void add_attributes(json_object *person, const std::vector<FaceAttribute> &attributes) {
    json_object *all = io::object_in(person, "attributes");
    for (const FaceAttribute &attribute : attributes) {
        json_object *one = io::object_in(all, attribute.name.c_str());
        for (size_t i = 0; i < attribute.classes.size(); i++)
            add(one, attribute.classes[i].c_str(), static_cast<double>(attribute.probabilities[i]));
    }
}

void add_texts(json_object *list, const std::vector<TimedPrompt> &texts) {
    for (const TimedPrompt &text : texts) {
        json_object *one = io::object_at_end(list);
        add_seconds(one, "time", text.time);
        add(one, "text", text.text);
    }
}

void add_person(json_object *list, const PersonFacts &person) {
    json_object *one = io::object_at_end(list);
    add_integer(one, "track", person.track);
    add(one, "male", static_cast<double>(person.male));
    add(one, "age", static_cast<double>(person.age));
    add_attributes(one, person.attributes);
    json_object *descriptor = io::list_in(one, "descriptor");
    for (const float number : person.descriptor)
        io::append(descriptor, static_cast<double>(number));
    add_texts(io::list_in(one, "texts"), person.texts);
    add_changes(one, person.changes);
    add_sightings(one, person.sightings);
}

void add_shot(json_object *list, const ShotFacts &shot) {
    json_object *one = io::object_at_end(list);
    add_integer(one, "number", shot.number);
    add_integer(one, "first_pts", shot.first_pts);
    add_seconds(one, "begin", shot.begin);
    add_seconds(one, "end", shot.end);
    add_integer(one, "generated", shot.frames);
    json_object *key = io::object_in(one, "key_frame");
    add_integer(key, "pts", shot.key_pts);
    add_seconds(key, "time", shot.key_time);
    add(key, "score", shot.key_score);
    add(key, "picture", key_picture_name(shot.number));
    add(one, "caption_before", shot.raw_caption);
    add(one, "caption", shot.caption);
    add_texts(io::list_in(one, "prompts"), shot.prompts);
    json_object *people = io::list_in(one, "people");
    for (const PersonFacts &person : shot.people)
        add_person(people, person);
}

} // namespace

std::string key_picture_name(int shot) {
    char name[32];
    std::snprintf(name, sizeof name, "shot-%04d.png", shot);
    return name;
}

std::string report_text(const ReportHead &head, const std::vector<std::shared_ptr<ShotFacts>> &shots) {
    const io::JsonRoot root = io::json_root();
    add_integer(root.get(), "schema", 1);
    add(root.get(), "template", head.style);
    add(root.get(), "pack", head.pack);
    add(root.get(), "captioner", head.captioner);
    io::add_count(root.get(), "seed", head.seed);
    add(root.get(), "time_base", std::to_string(head.time_base.num) + "/" + std::to_string(head.time_base.den));
    add_integer(root.get(), "width", head.width);
    add_integer(root.get(), "height", head.height);
    json_object *list = io::list_in(root.get(), "shots");
    for (const std::shared_ptr<ShotFacts> &shot : shots)
        add_shot(list, *shot);
    return io::text_of(root.get());
}

} // namespace aianime::pipeline
