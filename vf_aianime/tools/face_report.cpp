// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/face_report.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "io/json_build.h"

namespace aianime::tools {

namespace {

using io::add;
using io::add_count;
using pipeline::Face;
using pipeline::FaceAttribute;
using pipeline::FaceState;
using pipeline::FaceTrack;

const char *gender_name(float male) { return male > 0.5f ? "male" : "female"; }

FaceState state_of(const Face &face) {
    return {vision::eyes_open(face.eyes), vision::mouth_open(face.points), face.best_expression()};
}

std::string state_text(const FaceState &state) {
    return std::string("eyes ") + (state.eyes_open ? "open" : "closed") + ", mouth " + (state.mouth_open ? "open" : "closed") +
           ", " + pipeline::expression_names[state.expression];
}

std::string attributes_text(const std::vector<FaceAttribute> &attributes) {
    std::string text;
    for (const FaceAttribute &attribute : attributes)
        text += ", " + attribute.name + " " + attribute.classes[attribute.best()];
    return text;
}

std::string person_text(float male, float age) {
    char text[48];
    std::snprintf(text, sizeof(text), "%s %.2f, %.0f years", gender_name(male), std::max(male, 1 - male), age);
    return text;
}

void add_person(json_object *object, float male, float age, const std::vector<FaceAttribute> &attributes) {
    add(object, "gender", gender_name(male));
    add(object, "male", static_cast<double>(male));
    add(object, "age", static_cast<double>(age));
    if (attributes.empty())
        return;
    json_object *all = io::object_in(object, "attributes");
    for (const FaceAttribute &attribute : attributes) {
        json_object *one = io::object_in(all, attribute.name.c_str());
        for (size_t i = 0; i < attribute.classes.size(); i++)
            add(one, attribute.classes[i].c_str(), static_cast<double>(attribute.probabilities[i]));
    }
}

void add_state(json_object *object, const FaceState &state) {
    add(object, "eyes", state.eyes_open ? "open" : "closed");
    add(object, "mouth", state.mouth_open ? "open" : "closed");
    add(object, "expression", pipeline::expression_names[state.expression]);
}

void add_track(json_object *object, const FaceTrack &track) {
    add_count(object, "track", static_cast<uint64_t>(track.number()));
    add_person(object, track.male(), track.age(), track.attributes());
    add_count(object, "sightings", track.sightings());
    add(object, "first", track.first());
    add(object, "last", track.last());
    add(object, "height", static_cast<double>(track.largest()));
    json_object *changes = io::list_in(object, "changes");
    for (const pipeline::FaceChange &change : track.changes()) {
        json_object *one = io::object_at_end(changes);
        add(one, "time", change.time);
        add_state(one, change.state);
    }
}

// Text on a dark strip, inside the picture.
void label(cv::Mat picture, const std::string &text, cv::Point where, double scale) {
    int below = 0;
    const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, 1, &below);
    where.x = std::clamp(where.x, 0, std::max(picture.cols - size.width, 0));
    where.y = std::clamp(where.y, size.height, std::max(picture.rows - below, size.height));
    cv::rectangle(picture, where - cv::Point(0, size.height), where + cv::Point(size.width, below), cv::Scalar(0, 0, 0),
                  cv::FILLED);
    cv::putText(picture, text, where, cv::FONT_HERSHEY_SIMPLEX, scale, cv::Scalar(255, 255, 255), 1, cv::LINE_AA);
}

} // namespace

std::string face_text(const Face &face) {
    return person_text(face.male, face.age) + ", " + state_text(state_of(face)) + attributes_text(face.attributes);
}

void print_faces(const std::vector<Face> &faces) {
    for (size_t i = 0; i < faces.size(); i++)
        std::printf("  face %zu at %.0f %.0f, %.0fx%.0f, %.2f: %s\n", i, faces[i].box.x, faces[i].box.y, faces[i].box.width,
                    faces[i].box.height, faces[i].score, face_text(faces[i]).c_str());
}

void print_shots(const std::vector<SurveyedShot> &shots) {
    for (size_t i = 0; i < shots.size(); i++) {
        const SurveyedShot &shot = shots[i];
        std::printf("  shot %zu, frames %zu to %zu, %.2f to %.2f s\n", i, shot.first_frame, shot.first_frame + shot.frames - 1,
                    shot.begin, shot.end);
        for (const FaceTrack &track : shot.tracks) {
            std::printf("    track %d, %.2f to %.2f s, in %zu of %zu pictures: %s%s\n", track.number(), track.first(), track.last(),
                        track.sightings(), shot.pictures, person_text(track.male(), track.age()).c_str(),
                        attributes_text(track.attributes()).c_str());
            for (const pipeline::FaceChange &change : track.changes())
                std::printf("      %.2f s: %s\n", change.time, state_text(change.state).c_str());
        }
    }
}

void add_faces(json_object *object, const std::vector<Face> &faces) {
    json_object *list = io::list_in(object, "faces");
    for (const Face &face : faces) {
        json_object *one = io::object_at_end(list);
        json_object *box = io::list_in(one, "box");
        for (const float number : {face.box.x, face.box.y, face.box.width, face.box.height})
            io::append(box, static_cast<double>(number));
        add(one, "score", static_cast<double>(face.score));
        add_person(one, face.male, face.age, face.attributes);
        add_state(one, state_of(face));
    }
}

void add_shots(json_object *object, const std::vector<SurveyedShot> &shots) {
    json_object *list = io::list_in(object, "shots");
    for (const SurveyedShot &shot : shots) {
        json_object *one = io::object_at_end(list);
        add_count(one, "first_frame", shot.first_frame);
        add_count(one, "frames", shot.frames);
        add(one, "begin", shot.begin);
        add(one, "end", shot.end);
        add_count(one, "pictures", shot.pictures);
        json_object *tracks = io::list_in(one, "tracks");
        for (const FaceTrack &track : shot.tracks)
            add_track(io::object_at_end(tracks), track);
    }
}

cv::Mat annotated(const cv::Mat &rgb, const std::vector<SeenFace> &faces) {
    cv::Mat out = rgb.clone();
    const double scale = std::clamp(rgb.rows / 900.0, 0.35, 1.5);
    const int thickness = std::max(rgb.rows / 400, 1);
    for (const SeenFace &seen : faces) {
        const cv::Rect box(seen.face.box);
        cv::rectangle(out, box, cv::Scalar(80, 255, 80), thickness);
        for (const cv::Point2f &point : seen.face.points)
            cv::circle(out, cv::Point(point), thickness, cv::Scalar(255, 220, 0), cv::FILLED);
        const std::string who = seen.track >= 0 ? "track " + std::to_string(seen.track) + ": " : "";
        label(out, who + person_text(seen.face.male, seen.face.age), box.tl() - cv::Point(0, 4), scale);
        label(out, state_text(state_of(seen.face)), {box.x, box.br().y + static_cast<int>(24 * scale)}, scale);
    }
    return out;
}

} // namespace aianime::tools
