// SPDX-License-Identifier: LGPL-2.1-or-later
// Faces tied together through a shot, with faces that no network found.
#include <opencv2/imgproc.hpp>

#include <cmath>

#include "pipeline/face_tracks.h"
#include "support.h"

using namespace aianime;
using pipeline::Face;
using pipeline::FaceTrack;
using pipeline::FaceTracks;

namespace {

const cv::Size size(320, 180);

// Descriptors of one length, as the network gives them; two persons' are 1.4 apart.
std::array<float, 128> person(int number, float apart = 0, int variant = 0) {
    std::array<float, 128> descriptor{};
    descriptor[static_cast<size_t>(number)] = 1;
    descriptor[static_cast<size_t>(64 + variant)] = apart;
    return descriptor;
}

// From the front.
vision::FacePoints points_of(const cv::Rect2f &box) {
    vision::FacePoints points{};
    const auto place = [&](size_t i, float x, float y) { points[i] = {box.x + x * box.width, box.y + y * box.height}; };
    for (const auto &[first, left] : {std::pair<size_t, float>{36, 0.2f}, {42, 0.6f}}) {
        const float width = 0.2f, high = 0.03f;
        place(first, left, 0.4f);
        place(first + 1, left + width / 3, 0.4f - high);
        place(first + 2, left + 2 * width / 3, 0.4f - high);
        place(first + 3, left + width, 0.4f);
        place(first + 4, left + 2 * width / 3, 0.4f + high);
        place(first + 5, left + width / 3, 0.4f + high);
    }
    place(30, 0.5f, 0.6f);
    place(60, 0.4f, 0.8f);
    place(64, 0.6f, 0.8f);
    for (size_t i : {61, 62, 63, 65, 66, 67})
        place(i, 0.5f, 0.8f);
    return points;
}

Face face_at(float x, float y, const std::array<float, 128> &descriptor, float side = 100) {
    Face face{};
    face.box = {x, y, side, side};
    face.score = 0.9f;
    face.points = points_of(face.box);
    face.eyes = 2;
    face.male = 0.1f;
    face.age = 30;
    face.expression[0] = 1;
    face.descriptor = face.likeness = descriptor;
    return face;
}

// Blots that lie further right by so many pixels.
cv::Mat scene(int shift = 0) {
    cv::Mat wide(size.height, size.width + 200, CV_8UC1), out;
    cv::RNG random(7);
    random.fill(wide, cv::RNG::UNIFORM, 0, 256);
    cv::GaussianBlur(wide, wide, {}, 8);
    cv::normalize(wide, wide, 0, 255, cv::NORM_MINMAX);
    return wide(cv::Rect(100 - shift, 0, size.width, size.height)).clone();
}

std::vector<int> add(FaceTracks &tracks, double time, const std::vector<Face> &faces, int shift = 0) {
    return tracks.add(time, scene(shift), size, faces);
}

using Numbers = std::vector<int>;

} // namespace

AIANIME_TEST(a_person_who_moves) {
    FaceTracks tracks;
    for (int i = 0; i < 10; i++)
        ck_assert(add(tracks, i * 0.2, {face_at(20.0f + 15 * static_cast<float>(i), 40, person(0, 0.6f, i))}) == Numbers{0});
    tracks.finish();
    ck_assert_uint_eq(tracks.tracks().size(), 1);
    const FaceTrack &track = tracks.tracks()[0];
    ck_assert_uint_eq(track.sightings(), 10);
    ck_assert_double_eq_tol(track.first() + track.last(), 1.8, 1e-9);
}

// A head that is turned looks like another one, and has moved by half of itself: only the flow tells that it is the same.
AIANIME_TEST(the_flow_moves_the_place) {
    for (const bool moved : {true, false}) {
        FaceTracks tracks;
        add(tracks, 0, {face_at(60, 40, person(0), 60)});
        const Numbers found = add(tracks, 0.2, {face_at(84, 40, person(0, 0.9f), 60)}, moved ? 24 : 0);
        ck_assert_int_eq(found[0], moved ? 0 : 1);
    }
}

AIANIME_TEST(behind_a_hand_and_back) {
    FaceTracks tracks;
    add(tracks, 0, {face_at(40, 40, person(0))});
    for (int i = 1; i < 8; i++)
        ck_assert(add(tracks, i * 0.2, {}).empty());
    ck_assert(add(tracks, 1.6, {face_at(200, 60, person(0, 0.3f))}) == Numbers{0}); // elsewhere, looks the same
    ck_assert(add(tracks, 1.8, {face_at(204, 60, person(5, 0.3f))}) == Numbers{0}); // half hidden: at the same place
    ck_assert(add(tracks, 2.0, {face_at(40, 40, person(5))}) == Numbers{1});        // somebody else where the first one was
    add(tracks, 2.2, {face_at(44, 40, person(5))});
    tracks.finish();
    ck_assert_uint_eq(tracks.tracks().size(), 2);
}

AIANIME_TEST(two_who_change_places) {
    FaceTracks tracks;
    add(tracks, 0, {face_at(20, 40, person(0)), face_at(180, 40, person(1))});
    ck_assert((add(tracks, 0.2, {face_at(175, 40, person(0)), face_at(25, 40, person(1))}) == Numbers{0, 1}));
}

AIANIME_TEST(a_second_box_on_one_face) {
    FaceTracks tracks;
    ck_assert((add(tracks, 0, {face_at(20, 40, person(0)), face_at(30, 50, person(3), 70)}) == Numbers{0, -1}));
    tracks.finish();
    ck_assert_uint_eq(tracks.tracks().size(), 1);
}

AIANIME_TEST(what_was_seen_once_in_many_pictures_is_dropped) {
    FaceTracks many, one;
    for (int i = 0; i < 40; i++) {
        std::vector<Face> faces = {face_at(20, 40, person(0))};
        if (i == 20)
            faces.push_back(face_at(200, 40, person(1), 50));
        add(many, i * 0.2, faces);
    }
    many.finish();
    ck_assert_uint_eq(many.tracks().size(), 1);
    add(one, 0, {face_at(20, 40, person(0))}); // all there is
    one.finish();
    ck_assert_uint_eq(one.tracks().size(), 1);
}

// Who came back turned away begins a track; once the face was seen well it turns out to be the first one.
AIANIME_TEST(tracks_of_one_person_are_joined) {
    FaceTracks tracks;
    for (int i = 0; i < 5; i++)
        add(tracks, i * 0.2, {face_at(20, 40, person(0))});
    add(tracks, 1.0, {});
    for (int i = 6; i < 16; i++)
        ck_assert(add(tracks, i * 0.2, {face_at(200, 40, i < 8 ? person(0, 0.8f) : person(0))}) == Numbers{1});
    ck_assert_uint_eq(tracks.tracks().size(), 2);
    tracks.finish();
    ck_assert_uint_eq(tracks.tracks().size(), 1);
    ck_assert_uint_eq(tracks.tracks()[0].sightings(), 15);
    ck_assert_double_eq_tol(tracks.tracks()[0].last(), 3.0, 1e-9);

    FaceTracks twins; // seen in one picture: they are two
    for (int i = 0; i < 5; i++)
        add(twins, i * 0.2, {face_at(20, 40, person(0)), face_at(200, 40, person(0, 0.1f))});
    twins.finish();
    ck_assert_uint_eq(twins.tracks().size(), 2);
}

AIANIME_TEST(what_stays_is_voted) {
    FaceTrack track(3);
    for (int i = 0; i < 9; i++) {
        Face face = face_at(20, 40, person(0));
        face.age = i < 2 ? 70 : 20.0f + static_cast<float>(i % 3);
        face.male = i == 4 ? 1.0f : 0.1f;
        face.descriptor = i < 3 ? person(7) : person(0);
        face.likeness = i < 3 ? person(5) : person(2);
        face.attributes = {{"beard", {"no", "yes"}, {0.9f, 0.1f}}};
        track.add(i, face);
    }
    ck_assert_int_eq(track.number(), 3);
    ck_assert_float_eq_tol(track.age(), 22, 1e-6);
    ck_assert_float_eq_tol(track.male(), 0.2f, 1e-3f);
    ck_assert(track.descriptor() == person(0) && track.likeness() == person(2));
    ck_assert_float_eq_tol(track.attributes()[0].probabilities[0], 0.9f, 1e-5f);
    ck_assert_uint_eq(track.attributes()[0].best(), 0);
}

// Small faces and those from the side say less than a large one from the front.
AIANIME_TEST(quality_weighs) {
    const Face front = face_at(20, 40, person(0));
    Face side = front, small = face_at(20, 40, person(0), 40);
    side.points[30].x = side.points[45].x;
    ck_assert_float_gt(FaceTrack::quality(front), 2 * FaceTrack::quality(side));
    ck_assert_float_gt(FaceTrack::quality(front), 2 * FaceTrack::quality(small));
    FaceTrack track(0);
    side.male = 0.9f;
    track.add(0, front);
    track.add(1, side);
    track.add(2, front);
    ck_assert_float_lt(track.male(), 0.2f);
}

AIANIME_TEST(what_changes_is_told_by_its_times) {
    FaceTrack track(0);
    const auto see = [&](double time, float eyes, size_t expression, float share = 1) {
        Face face = face_at(20, 40, person(0));
        face.eyes = eyes;
        face.expression = {};
        face.expression[0] = 1 - share;
        face.expression[expression] += share;
        track.add(time, face);
    };
    see(0, 2, 0);
    see(1, -0.2f, 0); // between the thresholds: stays open
    see(2, -2, 0);
    see(3, 0.2f, 1, 0.52f); // stays closed; a smile that hardly leads
    see(4, 2, 1);
    see(5, 2, 1);
    ck_assert_uint_eq(track.changes().size(), 3);
    ck_assert(track.state_at(1.5).eyes_open && !track.state_at(2).eyes_open && !track.state_at(3.9).eyes_open);
    ck_assert(track.state_at(4).eyes_open && track.state_at(3).expression == 0 && track.state_at(5).expression == 1);
    ck_assert(track.state_at(-1).eyes_open && track.state_at(-1).expression == 0);
}

// A blink between two pictures that are searched; the face has moved on by then, with the flow.
AIANIME_TEST(what_is_between_is_followed) {
    FaceTracks tracks;
    std::vector<Face> asked;
    const auto follow = [&](double time, int shift, float eyes, float score) {
        tracks.follow(time, scene(shift), size, [&](std::vector<Face> faces) {
            asked = faces;
            for (Face &face : faces) {
                face.eyes = eyes;
                face.score = score;
            }
            return faces;
        });
    };
    follow(0, 0, 2, 1);
    ck_assert(asked.empty()); // nobody yet
    add(tracks, 0, {face_at(60, 40, person(0), 60)});
    follow(0.1, 12, -2, 0.9f);
    ck_assert_uint_eq(asked.size(), 1);
    ck_assert_float_eq_tol(asked[0].box.x, 72, 2);
    ck_assert_float_eq_tol(asked[0].points[36].x - points_of(asked[0].box)[36].x, 0, 1e-3f);
    follow(0.2, 24, 2, 0.9f);
    ck_assert_float_eq_tol(asked[0].box.x, 84, 3);
    const FaceTrack &track = tracks.tracks()[0];
    ck_assert(track.state_at(0).eyes_open && !track.state_at(0.1).eyes_open && track.state_at(0.2).eyes_open);
    ck_assert_uint_eq(track.sightings(), 1);
    ck_assert_double_eq_tol(track.last(), 0.2, 1e-9);
    follow(0.3, 24, -2, 0); // not where it should be: not believed, and not followed further
    ck_assert(track.state_at(0.3).eyes_open);
    follow(0.4, 24, -2, 1);
    ck_assert(asked.empty() && track.state_at(0.4).eyes_open);
    ck_assert(add(tracks, 0.5, {face_at(84, 40, person(0, 0.9f), 60)}, 24) == Numbers{0});
    follow(0.6, 24, -2, 1);
    ck_assert(!track.state_at(0.6).eyes_open);
}

AIANIME_TEST(no_faces_and_many) {
    FaceTracks tracks;
    ck_assert(add(tracks, 0, {}).empty());
    std::vector<Face> crowd;
    for (int i = 0; i < 40; i++)
        crowd.push_back(face_at(static_cast<float>(i % 10) * 32, static_cast<float>(i / 10) * 45, person(i), 28));
    Numbers all;
    for (int i = 0; i < 40; i++)
        all.push_back(i);
    for (int i = 1; i < 6; i++)
        ck_assert(add(tracks, i, crowd) == all);
    tracks.finish();
    ck_assert_uint_eq(tracks.tracks().size(), 40);
}

int main() {
    return run_suite("face_tracks", {a_person_who_moves, the_flow_moves_the_place, behind_a_hand_and_back, two_who_change_places,
                                     a_second_box_on_one_face, what_was_seen_once_in_many_pictures_is_dropped,
                                     tracks_of_one_person_are_joined, what_stays_is_voted, quality_weighs,
                                     what_changes_is_told_by_its_times, what_is_between_is_followed, no_faces_and_many});
}
