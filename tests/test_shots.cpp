// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts are found, and what looks like one is not.
#include "support.h"
#include "vision_pictures.h"

#include "vision/key_frame.h"
#include "vision/shots.h"

using namespace aianime::vision;

namespace {

const cv::Size frame_size(160, 90);

// A camera that moves over a wide scene by `speed` pixels a frame.
std::vector<cv::Mat> moving_shot(int seed, int frames, int speed = 1) {
    const cv::Mat scene = scene_picture({frame_size.width + frames * speed, frame_size.height}, seed);
    std::vector<cv::Mat> shot;
    for (int i = 0; i < frames; i++)
        shot.push_back(scene(cv::Rect(i * speed, 0, frame_size.width, frame_size.height)).clone());
    return shot;
}

cv::Mat lit(const cv::Mat &picture, double gain, double offset) {
    return cv::min(picture * gain + cv::Scalar::all(offset), cv::Scalar::all(1));
}

std::vector<int> starts(const std::vector<cv::Mat> &pictures, ShotDetector detector = {}) {
    std::vector<int> found;
    for (size_t i = 0; i < pictures.size(); i++)
        if (detector.starts_shot(pictures[i]))
            found.push_back(static_cast<int>(i));
    return found;
}

void expect_starts(const std::vector<cv::Mat> &pictures, const std::vector<int> &expected, const std::string &what) {
    const std::vector<int> found = starts(pictures);
    std::string text;
    for (const int start : found)
        text += " " + std::to_string(start);
    ck_assert_msg(found == expected, "%s: shots start at%s", what.c_str(), text.c_str());
}

std::vector<cv::Mat> joined(std::initializer_list<std::vector<cv::Mat>> shots) {
    std::vector<cv::Mat> all;
    for (const std::vector<cv::Mat> &shot : shots)
        all.insert(all.end(), shot.begin(), shot.end());
    return all;
}

} // namespace

AIANIME_TEST(one_shot) {
    for (int seed = 0; seed < 8; seed++)
        expect_starts(moving_shot(seed, 20), {0}, "seed " + std::to_string(seed));
}

AIANIME_TEST(hard_cuts) {
    for (int seed = 0; seed < 12; seed++)
        expect_starts(
            joined({moving_shot(seed, 6), moving_shot(seed + 50, 4, 2), moving_shot(seed + 99, 1), moving_shot(seed + 7, 6)}),
            {0, 6, 10, 11}, "seed " + std::to_string(seed));
}

AIANIME_TEST(motion_is_no_cut) {
    for (int seed = 0; seed < 6; seed++)
        for (const int speed : {3, 8, 15})
            expect_starts(moving_shot(seed, 15, speed), {0}, "seed " + std::to_string(seed) + " speed " + std::to_string(speed));
}

// A third of the view a frame, to and fro, along and across.
AIANIME_TEST(fast_turn_is_no_cut) {
    for (int seed = 0; seed < 6; seed++) {
        const cv::Mat scene = scene_picture({480, 90}, seed);
        std::vector<cv::Mat> shot;
        for (const int x : {0, 48, 96, 144, 192, 144, 96, 48})
            shot.push_back(scene(cv::Rect({x, 0}, frame_size)).clone());
        expect_starts(shot, {0}, "seed " + std::to_string(seed));
    }
}

AIANIME_TEST(dissolve_to_another_scene_is_one_cut) {
    for (int seed = 0; seed < 8; seed++)
        for (const int length : {8, 16, 25}) {
            const std::vector<cv::Mat> before = moving_shot(seed, 16 + length, 0), after = moving_shot(seed + 40, 40 + length, 0);
            std::vector<cv::Mat> shots(before.begin(), before.begin() + 16);
            for (int i = 0; i < length; i++) {
                const double share = (i + 1.0) / (length + 1);
                shots.push_back(before[16 + i] * (1 - share) + after[i] * share);
            }
            shots.insert(shots.end(), after.begin() + length, after.end());
            const std::vector<int> found = starts(shots);
            ck_assert_msg(found.size() == 2 && found[1] >= 16 && found[1] <= 16 + length,
                          "seed %d, %d frames: %zu shots, the last at %d", seed, length, found.size(), found.back());
        }
}

// As 8 bits store them.
AIANIME_TEST(cut_in_the_dark) {
    for (int seed = 0; seed < 8; seed++) {
        std::vector<cv::Mat> shots = joined({moving_shot(seed, 8), moving_shot(seed + 60, 8)});
        for (cv::Mat &picture : shots) {
            cv::Mat stored;
            picture.convertTo(stored, CV_8UC3, 0.12 * 255);
            stored.convertTo(picture, CV_32FC3, 1 / 255.0);
        }
        expect_starts(shots, {0, 8}, "seed " + std::to_string(seed));
    }
}

AIANIME_TEST(flash_is_no_cut) {
    for (int seed = 0; seed < 6; seed++)
        for (const double gain : {1.4, 2.5, 60.0})
            for (const int length : {1, 3}) {
                std::vector<cv::Mat> shot = moving_shot(seed, 16);
                for (int i = 7; i < 7 + length; i++)
                    shot[i] = lit(shot[i], gain, gain > 50 ? 1 : 0.1);
                expect_starts(shot, {0}, "seed " + std::to_string(seed) + " gain " + std::to_string(gain));
            }
}

// So strong that most of the picture turns white: what comes back is known from before.
AIANIME_TEST(burnt_out_flash_is_no_cut) {
    for (int seed = 0; seed < 20; seed++) {
        std::vector<cv::Mat> shot = moving_shot(seed, 14);
        for (const int i : {7, 8})
            shot[i] = lit(shot[i], 6, -0.6);
        expect_starts(shot, {0}, "seed " + std::to_string(seed));
    }
}

AIANIME_TEST(cut_right_after_a_flash) {
    std::vector<cv::Mat> shots = joined({moving_shot(1, 8), moving_shot(2, 8)});
    shots[7] = cv::Mat(frame_size, CV_32FC3, cv::Scalar::all(1));
    expect_starts(shots, {0, 8}, "flash then cut");
}

AIANIME_TEST(fade_is_no_cut) {
    for (int seed = 0; seed < 6; seed++) {
        std::vector<cv::Mat> shot = moving_shot(seed, 30);
        for (int i = 0; i < 30; i++)
            shot[i] *= std::abs(i - 15) / 15.0;
        expect_starts(shot, {0}, "seed " + std::to_string(seed));
    }
}

AIANIME_TEST(fade_through_black_to_another_scene) {
    for (int seed = 0; seed < 6; seed++) {
        std::vector<cv::Mat> shots = joined({moving_shot(seed, 15), moving_shot(seed + 20, 15)});
        for (int i = 0; i < 30; i++)
            shots[i] *= std::abs(i - 15) / 15.0;
        const std::vector<int> found = starts(shots);
        ck_assert_msg(found.size() == 2 && found[1] >= 15 && found[1] <= 20, "seed %d: %zu shots", seed, found.size());
    }
}

AIANIME_TEST(noise_is_no_cut) {
    cv::RNG random(3);
    for (const double deviation : {0.02, 0.08}) {
        std::vector<cv::Mat> shot = moving_shot(5, 20);
        for (cv::Mat &picture : shot) {
            cv::Mat noise(picture.size(), CV_32FC3);
            random.fill(noise, cv::RNG::NORMAL, 0, deviation);
            picture += noise;
        }
        expect_starts(shot, {0}, "noise " + std::to_string(deviation));
    }
}

AIANIME_TEST(blank_and_tiny_pictures) {
    expect_starts(std::vector<cv::Mat>(5, cv::Mat(frame_size, CV_32FC3, cv::Scalar::all(0))), {0}, "black");
    expect_starts(std::vector<cv::Mat>(3, cv::Mat(1, 1, CV_32FC3, cv::Scalar::all(0.5))), {0}, "1x1");
    std::vector<cv::Mat> broken = moving_shot(1, 4);
    broken[2].setTo(cv::Scalar::all(std::nanf("")));
    ck_assert_int_le(static_cast<int>(starts(broken).size()), 3); // whatever it says, it does not crash
}

AIANIME_TEST(reset_starts_anew) {
    ShotDetector detector;
    const std::vector<cv::Mat> shot = moving_shot(3, 3);
    ck_assert(detector.starts_shot(shot[0]));
    ck_assert(!detector.starts_shot(shot[1]));
    detector.reset();
    ck_assert(detector.starts_shot(shot[2]));
}

AIANIME_TEST(key_frame_is_sharp_and_well_lit) {
    const auto score = [](const cv::Mat &one) { return key_frame_score(key_frame_parts(one)); };
    const cv::Mat picture = scene_picture({320, 180}, 6);
    cv::Mat soft;
    cv::GaussianBlur(picture, soft, cv::Size(), 3);
    ck_assert_double_gt(score(picture), 2 * score(soft));
    ck_assert_double_gt(score(picture), score(picture * 0.2));
    ck_assert_double_gt(score(picture), score(lit(picture, 0.5, 0.6)));
    ck_assert_double_eq_tol(score(cv::Mat(5, 5, CV_32FC3, cv::Scalar::all(0))), 0, 1e-9);
}

AIANIME_TEST(key_frame_is_still_and_shows_a_face) {
    const cv::Mat picture = scene_picture({320, 180}, 6);
    const KeyFrameParts still = key_frame_parts(picture, picture), moved = key_frame_parts(picture, scene_picture({320, 180}, 7));
    ck_assert_double_eq(still.stillness, 1);
    ck_assert_double_lt(moved.stillness, 0.5);
    ck_assert_double_eq(moved.sharpness, still.sharpness);
    const cv::Rect2f middle(0.4f, 0.4f, 0.2f, 0.2f), corner(0.8f, 0.8f, 0.2f, 0.2f), large(0.25f, 0.25f, 0.5f, 0.5f);
    ck_assert_double_eq_tol(key_face(large, 1, 1, true), 1, 1e-6);
    ck_assert_double_eq_tol(key_face(large, 1, 1, false), 0.3, 1e-6);
    ck_assert_double_eq_tol(key_face(middle, 1, 0.5, true), 0.2, 1e-6);
    ck_assert_double_eq_tol(key_face(corner, 1, 1, true), 0.4 * 0.6, 1e-6);
}

int main() {
    return run_suite("shots", {one_shot, hard_cuts, motion_is_no_cut, fast_turn_is_no_cut, dissolve_to_another_scene_is_one_cut,
                               cut_in_the_dark, flash_is_no_cut, burnt_out_flash_is_no_cut, cut_right_after_a_flash, fade_is_no_cut,
                               fade_through_black_to_another_scene, noise_is_no_cut, blank_and_tiny_pictures, reset_starts_anew,
                               key_frame_is_sharp_and_well_lit, key_frame_is_still_and_shows_a_face});
}
