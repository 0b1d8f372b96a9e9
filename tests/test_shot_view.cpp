// SPDX-License-Identifier: LGPL-2.1-or-later
// Shots that are looked at, and shots as a plan says they are.
#include <opencv2/imgproc.hpp>

#include "nn/aten.h"
#include "pipeline/planned_shot.h"
#include "pipeline/shot_reader.h"
#include "support.h"
#include "vision/png.h"
#include "vision_pictures.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

const cv::Size size(320, 180);

cv::Mat soft_picture(int seed) {
    cv::Mat soft;
    cv::GaussianBlur(scene_picture(size, seed), soft, cv::Size(), 4);
    return soft;
}

// A face of 180 pixels on gray.
cv::Mat with_face(int x) {
    cv::Mat picture(size, CV_32FC3, cv::Scalar::all(0.5)), face = vision::load_png(tests_folder() + "/golden/face/astronaut.png");
    cv::resize(face, face, {180, 180}, 0, 0, cv::INTER_AREA);
    face.copyTo(picture(cv::Rect(x, 0, 180, 180)));
    return picture;
}

// Warnings end here.
struct Listener {
    std::vector<std::string> lines;
    Watch watch{[](void *self, aianime_log_level, const char *line) { static_cast<Listener *>(self)->lines.emplace_back(line); },
                nullptr, this};
};

ReadFrame frame(const cv::Mat &picture, int number) { return {picture, 100 + number, 0.1 * number}; }

} // namespace

AIANIME_TEST(sharpest_frame_so_far_is_the_key_frame) {
    ShotReader reader(nullptr, 5);
    const cv::Mat sharp = scene_picture(size, 1);
    reader.look(frame(soft_picture(1), 0));
    reader.look(frame(sharp, 1));
    reader.look(frame(sharp, 2)); // still, but no better than the one before, which only moved
    reader.look(frame(soft_picture(2), 3));
    reader.settle();
    ck_assert_uint_eq(reader.key(), 2);
    ck_assert_int_eq(reader.facts()->key_pts, 102);
    ck_assert_double_eq(cv::norm(reader.key_picture(), sharp, cv::NORM_INF), 0);
    reader.look(frame(scene_picture(size, 2) * 0.9, 4));
    reader.look(frame(scene_picture(size, 2) * 0.9, 5));
    reader.settle();
    ck_assert_uint_eq(reader.key(), 2); // it stands for frames that have been made
    ck_assert_int_eq(reader.facts()->first_pts, 100);
    ck_assert_int_eq(reader.facts()->frames, 6);
    ck_assert_double_eq_tol(reader.facts()->end, 0.5, 1e-9);
    ck_assert(reader.facts()->people.empty());
}

AIANIME_TEST(a_person_is_followed_and_stands_for_the_shot) {
    const FaceFinder finder(face_folder(), at::kCPU);
    ShotReader reader(&finder, 5);
    for (int i = 0; i < 12; i++)
        reader.look(frame(i < 8 ? with_face(4 * i) : cv::Mat(size, CV_32FC3, cv::Scalar::all(0.5)), i));
    reader.settle();
    ck_assert_uint_lt(reader.key(), 8);
    reader.finish();
    const ShotFacts &facts = *reader.facts();
    ck_assert_uint_eq(facts.people.size(), 1);
    const PersonFacts &person = facts.people[0];
    ck_assert_double_lt(person.male, 0.5);
    ck_assert_uint_eq(person.sightings.size(), 4); // of 12 pictures at 10 a second every other one was looked at
    ck_assert_double_eq_tol(person.sightings[1].time, 0.2, 1e-9);
    const cv::Rect2f box = people_at(facts.people, 0.3)[0].box;
    ck_assert(box.x > 0 && box.x + box.width < 0.7f && box.height > 0.2f);
    const FacePicture *face = reader.face_picture(person.track);
    ck_assert_ptr_nonnull(face);
    ck_assert(face->picture.size() == cv::Size(224, 224) && face->picture.type() == CV_8UC3);
    ck_assert_uint_eq(finder.find(face->picture).size(), 1);
    ck_assert_ptr_null(reader.face_picture(person.track + 1));
}

AIANIME_TEST(planned_shot_follows_its_plan) {
    ShotFacts planned;
    planned.key_pts = 102;
    PersonFacts person;
    person.track = 4;
    person.sightings = {{0.1, {0.25f, 0.25f, 0.25f, 0.25f}}, {0.3, {0.5f, 0.5f, 0.5f, 0.5f}}};
    planned.people = {person};
    Listener listener;
    PlannedShot shot(planned, listener.watch);
    std::vector<cv::Mat> pictures;
    for (int i = 0; i < 4; i++) {
        pictures.push_back(soft_picture(i));
        shot.look(frame(pictures.back(), i));
    }
    shot.settle();
    ck_assert_uint_eq(shot.key(), 2);
    ck_assert(listener.lines.empty());
    ck_assert_int_eq(shot.facts()->frames, 4);
    const FacePicture *face = shot.face_picture(4);
    ck_assert_ptr_nonnull(face);
    const cv::Vec3b middle = face->picture.at<cv::Vec3b>(112, 112);
    const cv::Vec3f source = pictures[3].at<cv::Vec3f>(135, 240); // the larger one: the middle of its box
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(middle[c] / 255.0, source[c], 0.03);
}

AIANIME_TEST(planned_key_frame_that_is_not_there) {
    ShotFacts planned;
    planned.key_pts = 1;
    Listener listener;
    PlannedShot shot(planned, listener.watch);
    for (int i = 0; i < 3; i++)
        shot.look(frame(soft_picture(i), i));
    shot.settle();
    shot.settle();
    ck_assert_uint_eq(shot.key(), 0);
    ck_assert_int_eq(shot.facts()->key_pts, 100);
    ck_assert_uint_eq(listener.lines.size(), 1);
    ck_assert_ptr_nonnull(std::strstr(listener.lines[0].c_str(), "key_frame.pts 1"));
}

int main() {
    return run_suite("shot_view", {sharpest_frame_so_far_is_the_key_frame, a_person_is_followed_and_stands_for_the_shot,
                                   planned_shot_follows_its_plan, planned_key_frame_that_is_not_there});
}
