// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_reader.h"

#include <algorithm>

#include "vision/key_frame.h"

namespace aianime::pipeline {

namespace {

constexpr double early = 1e-3; // seconds by which a look may come too soon: times are rounded

cv::Rect2f in_shares(const cv::Rect2f &box, cv::Size size) {
    const auto width = static_cast<float>(size.width), height = static_cast<float>(size.height);
    return {box.x / width, box.y / height, box.width / width, box.height / height};
}

} // namespace

void ShotReader::see(const ReadFrame &frame) {
    const bool due = finder_ && (!looked_ || frame.time - *looked_ >= 1 / rate_ - early);
    const double face = due ? look_for_faces(frame) : 0;
    if (finder_ && !due)
        tracks_.follow(frame.time, luma_for_tracks(frame.picture), frame.picture.size(),
                       [&](std::vector<Face> faces) { return finder_->follow(frame.picture, std::move(faces)); });
    if (settled())
        return;
    vision::KeyFrameParts parts = vision::key_frame_parts(frame.picture, before_);
    parts.faces = 1 + 4 * face;
    before_ = frame.picture;
    if (const double score = vision::key_frame_score(parts); score > best_) {
        best_ = score;
        choose(frame, score);
    }
}

// The best face's share in the key frame's score.
double ShotReader::look_for_faces(const ReadFrame &frame) {
    looked_ = frame.time;
    const cv::Size size = frame.picture.size();
    const std::vector<Face> faces = finder_->find(frame.picture);
    remember(frame, faces, tracks_.add(frame.time, luma_for_tracks(frame.picture), size, faces));
    double best = 0;
    for (const Face &face : faces)
        best = std::max(
            best, vision::key_face(in_shares(face.box, size), face.score, FaceTrack::frontal(face), vision::eyes_open(face.eyes)));
    return best;
}

void ShotReader::remember(const ReadFrame &frame, const std::vector<Face> &faces, const std::vector<int> &numbers) {
    for (size_t i = 0; i < faces.size(); i++) {
        if (numbers[i] < 0)
            continue;
        sightings_[numbers[i]].push_back({frame.time, in_shares(faces[i].box, frame.picture.size())});
        offer_face(numbers[i], FaceTrack::quality(faces[i]), frame.picture, faces[i].box);
    }
}

void ShotReader::gather() {
    before_.release();
    std::map<int, std::vector<TimedPrompt>> texts; // what was said stays said
    for (PersonFacts &person : facts_->people)
        texts[person.track] = std::move(person.texts);
    facts_->people.clear();
    for (const FaceTrack &track : tracks_.tracks()) {
        if (tracks_.is_rare(track))
            continue;
        PersonFacts person;
        person.track = track.number();
        person.male = track.male();
        person.age = track.age();
        person.attributes = track.attributes();
        person.descriptor = track.descriptor();
        person.changes = track.changes();
        person.sightings = sightings_[track.number()];
        person.texts = texts[track.number()];
        facts_->people.push_back(std::move(person));
    }
}

void ShotReader::finish() {
    tracks_.finish();
    std::map<int, std::vector<Sighting>> owned;
    for (const auto &[number, sightings] : sightings_) {
        const FaceTrack *owner = tracks_.owner(number);
        if (!owner)
            continue;
        std::vector<Sighting> &all = owned[owner->number()];
        all.insert(all.end(), sightings.begin(), sightings.end());
        std::sort(all.begin(), all.end(), [](const Sighting &a, const Sighting &b) { return a.time < b.time; });
    }
    sightings_ = std::move(owned);
    gather();
}

} // namespace aianime::pipeline
