// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores of pairs of frames whose answers are known, and against golden/make_eval.py.
#include "support.h"
#include "vision_pictures.h"

#include <fstream>

#include "eval/pair_scores.h"
#include "eval/scores.h"
#include "eval/style_distance.h"
#include "io/safetensors.h"
#include "vision/flow.h"

using namespace aianime;

namespace {

const cv::Size size(160, 120);

cv::Mat golden(const std::string &name) {
    const io::SafetensorsFile file(tests_folder() + "/golden/eval/pictures.safetensors");
    const io::TensorInfo &info = file.tensors().at(name);
    const int channels = info.shape.size() == 3 ? static_cast<int>(info.shape[2]) : 1;
    cv::Mat out(static_cast<int>(info.shape[0]), static_cast<int>(info.shape[1]), CV_MAKETYPE(CV_32F, channels));
    file.read(name, out.data);
    return out;
}

double number(const std::string &wanted) {
    std::ifstream file(tests_folder() + "/golden/eval/numbers.txt");
    std::string name;
    for (double value; file >> name >> value;)
        if (name == wanted)
            return value;
    ck_abort_msg("no number %s", wanted.c_str());
    return 0;
}

// What a camera sees that moves over `wide` by (dx, dy): what was at p is at p + (dx, dy).
cv::Mat seen(const cv::Mat &wide, int dx, int dy) { return wide(cv::Rect({40 - dx, 40 - dy}, size)).clone(); }
cv::Mat wide_scene(int seed) { return scene_picture({size.width + 80, size.height + 80}, seed); }

// Exact: everything here was (dx, dy) away.
eval::Motion motion(int dx, int dy) {
    const cv::Mat there(size, CV_32FC2, cv::Scalar(dx, dy));
    return {there, vision::consistency(there, -there)};
}

cv::Mat noise(cv::Size of, double sigma, int seed) {
    cv::RNG random(static_cast<uint64_t>(seed));
    cv::Mat out(of, CV_32FC3);
    random.fill(out, cv::RNG::NORMAL, 0, sigma);
    return out;
}

cv::Mat blurred(const cv::Mat &picture, double sigma) {
    cv::Mat out;
    cv::GaussianBlur(picture, out, {}, sigma);
    return out;
}

} // namespace

AIANIME_TEST(scores_are_the_reference_ones) {
    const cv::Mat before = golden("before"), here = golden("here"), after = golden("after");
    const eval::Motion to_before{golden("to_before"), golden("seen_before")}, to_after{golden("to_after"), golden("seen_after")};
    ck_assert_double_eq_tol(eval::pair_error(here, before, to_before), number("error"), 1e-3);
    ck_assert_double_eq_tol(eval::pair_similarity(here, before, to_before), number("ssim"), 1e-5);
    ck_assert_double_eq_tol(eval::flicker_between(before, here, after, to_before, to_after), number("flicker"), 1e-3);
    const eval::Texture texture = eval::texture_between(here, before, to_before);
    ck_assert_double_eq_tol(texture.flow, number("texture_flow"), 2e-3);
    ck_assert_double_eq_tol(texture.screen, number("texture_screen"), 2e-3);
    ck_assert_double_eq_tol(texture.follows, number("texture_follows"), 5e-3);
}

AIANIME_TEST(what_moves_along_has_no_error) {
    const cv::Mat wide = wide_scene(3), here = seen(wide, 6, -4), before = seen(wide, 0, 0), after = seen(wide, 12, -8);
    const eval::Motion to_before = motion(-6, 4), to_after = motion(6, -4);
    ck_assert_double_lt(eval::pair_error(here, before, to_before), 1e-3);
    ck_assert_double_gt(eval::pair_similarity(here, before, to_before), 0.97); // windows at the border see what is not
    ck_assert_double_lt(eval::flicker_between(before, here, after, to_before, to_after), 1e-3);
    ck_assert_double_gt(eval::pair_error(here, before, motion(0, 0)), 10); // where it is looked for at the wrong place
    // By the flow that is found it is still near.
    const eval::Motion found = eval::motions_between(here, before).back;
    ck_assert_double_lt(eval::pair_error(here, before, found), 0.15 * eval::pair_error(here, before, motion(0, 0)));
}

AIANIME_TEST(noise_raises_the_error_by_what_is_known) {
    const cv::Mat wide = wide_scene(4);
    const double pi = std::acos(-1.0);
    for (const double sigma : {0.01, 0.04}) {
        const cv::Mat before = seen(wide, 0, 0) + noise(size, sigma, 1), here = seen(wide, 5, 2) + noise(size, sigma, 2),
                      after = seen(wide, 10, 4) + noise(size, sigma, 3);
        // The mean of the absolute difference of two normal numbers.
        const double wanted = 255 * 2 * sigma / std::sqrt(pi);
        ck_assert_double_eq_tol(eval::pair_error(here, before, motion(-5, -2)), wanted, 0.01 * wanted);
        // 1 for its own and 1/4 for either neighbour's, of which the luma takes its part.
        const double luma = std::sqrt(0.299 * 0.299 + 0.587 * 0.587 + 0.114 * 0.114), beats = 255 * sigma * luma * std::sqrt(1.5);
        ck_assert_double_eq_tol(eval::flicker_between(before, here, after, motion(-5, -2), motion(5, 2)), beats, 0.02 * beats);
    }
}

AIANIME_TEST(steady_change_is_no_flicker) {
    const cv::Mat middle = seen(wide_scene(5), 0, 0), less = middle - cv::Scalar::all(0.02), more = middle + cv::Scalar::all(0.02);
    ck_assert_double_eq_tol(eval::pair_error(more, middle, motion(0, 0)), 0.02 * 255, 1e-3);
    ck_assert_double_lt(eval::flicker_between(less, middle, more, motion(0, 0), motion(0, 0)), 1e-3);
    // There and back again is.
    ck_assert_double_eq_tol(eval::flicker_between(less, more, less, motion(0, 0), motion(0, 0)), 0.04 * 255, 1e-3);
}

AIANIME_TEST(texture_on_the_screen_and_on_things) {
    const cv::Mat smooth = smooth_picture({size.width + 80, size.height + 80}, 6, 0.3, 0.7, 40);
    const cv::Mat pattern = blurred(noise({size.width + 80, size.height + 80}, 0.2, 7), 0.8);
    const auto texture = [&](bool moves, int seed) {
        const cv::Mat here = seen(smooth, 4, 3) + seen(pattern, moves ? 4 : 0, moves ? 3 : 0) + noise(size, 0.02, seed);
        return eval::texture_between(here, seen(smooth + pattern, 0, 0) + noise(size, 0.02, seed + 1), motion(-4, -3));
    };
    const eval::Texture things = texture(true, 20), screen = texture(false, 30);
    ck_assert_double_gt(things.follows, 0.95);
    ck_assert_double_gt(things.flow, 0.8);
    ck_assert_double_lt(things.screen, 0.05);
    ck_assert_double_lt(screen.follows, 0.05);
    ck_assert_double_gt(screen.screen, 0.8);
    // Noise of its own in every frame: neither explains it.
    const eval::Texture alone = eval::texture_between(noise(size, 0.1, 8), noise(size, 0.1, 9), motion(-4, -3));
    ck_assert(alone.flow < 0.01 && alone.screen < 0.01 && !eval::has_score(alone.follows));
    // Nothing moves, or there is nothing that could.
    ck_assert(!eval::has_score(eval::texture_between(seen(pattern, 0, 0), seen(pattern, 0, 0), motion(0, 0)).flow));
    ck_assert(
        !eval::has_score(eval::texture_between(cv::Mat::zeros(size, CV_32FC3), cv::Mat::zeros(size, CV_32FC3), motion(3, 0)).flow));
}

AIANIME_TEST(nothing_seen_is_no_score) {
    const cv::Mat picture = seen(wide_scene(8), 0, 0);
    const eval::Motion hidden{cv::Mat::zeros(size, CV_32FC2), cv::Mat::zeros(size, CV_32FC1)};
    ck_assert(!eval::has_score(eval::pair_error(picture, picture, hidden)));
    ck_assert(!eval::has_score(eval::pair_similarity(picture, picture, hidden)));
    ck_assert(!eval::has_score(eval::flicker_between(picture, picture, picture, hidden, motion(0, 0))));
    ck_assert(!eval::has_score(eval::texture_between(picture, picture, hidden).flow));
}

AIANIME_TEST(style_is_not_blur) {
    const cv::Mat source = seen(wide_scene(9), 0, 0);
    cv::Mat warmer = source + cv::Scalar(0.08, 0, -0.08), lines = source.clone(), flat;
    for (int i = 0; i < 12; i++)
        cv::line(lines, {13 * i, 0}, {13 * i + 9, size.height}, {0.05, 0.05, 0.05}, 2, cv::LINE_AA);
    ck_assert_double_eq(eval::style_distance(source, source).total(), 0);
    const double drawn = eval::style_distance(lines, source).total(), colored = eval::style_distance(warmer, source).total();
    ck_assert_double_gt(drawn, 8);
    ck_assert_double_gt(colored, 4);
    for (const double sigma : {0.5, 1.0, 1.5}) { // up to an eightieth of the height
        const eval::StyleDistance blur = eval::style_distance(blurred(source, sigma), source);
        ck_assert_msg(blur.total() < 0.15 * colored, "a blur by %.1f is %.2f + %.2f away, a cast %.2f", sigma, blur.color,
                      blur.edges, colored);
    }
    // A blurred style is less of one, but not much.
    ck_assert_double_lt(eval::style_distance(blurred(lines, 2), source).total(), drawn);
}

AIANIME_TEST(a_known_difference_of_colour) {
    // L* 50 and 60 of gray: CIEDE2000 is 9.47 (weight of lightness 1.0559 at 55).
    const auto gray = [](double lightness) {
        cv::Mat lab(size, CV_32FC3, cv::Scalar(lightness, 0, 0)), rgb;
        cv::cvtColor(lab, rgb, cv::COLOR_Lab2RGB);
        return rgb;
    };
    const double away = (55 - 50.0) * (55 - 50.0), wanted = 10 / (1 + 0.015 * away / std::sqrt(20 + away));
    ck_assert_double_eq_tol(eval::style_distance(gray(60), gray(50)).color, wanted, 0.02);
    ck_assert_double_lt(eval::style_distance(gray(60), gray(50)).edges, 1e-3);
}

int main() {
    return run_suite("eval_scores",
                     {scores_are_the_reference_ones, what_moves_along_has_no_error, noise_raises_the_error_by_what_is_known,
                      steady_change_is_no_flicker, texture_on_the_screen_and_on_things, nothing_seen_is_no_score, style_is_not_blur,
                      a_known_difference_of_colour});
}
