// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores of whole clips: colour drift, seams, cuts, and clips that have little to say.
#include "support.h"
#include "vision_pictures.h"

#include "eval/evaluator.h"

using namespace aianime;

namespace {

const cv::Size size(128, 96);

cv::Mat seen(const cv::Mat &wide, int dx, int dy) { return wide(cv::Rect({40 - dx, 40 - dy}, size)).clone(); }
cv::Mat wide_scene(int seed) { return scene_picture({size.width + 80, size.height + 80}, seed); }

// The picture's colours moved in L*, a*, b*.
cv::Mat colored(const cv::Mat &picture, const cv::Scalar &shift) {
    cv::Mat lab, rgb;
    cv::cvtColor(picture * 0.5 + cv::Scalar::all(0.25), lab, cv::COLOR_RGB2Lab);
    lab += shift;
    cv::cvtColor(lab, rgb, cv::COLOR_Lab2RGB);
    return rgb;
}

eval::Evaluator two_columns() { return eval::Evaluator({{"source", "source"}, {"result", "result"}}, {}); }

eval::FrameInfo frame(size_t number, int shot = 0) { return {number, static_cast<double>(number) / 10, shot, true}; }

double drift(const eval::Measured &measured, size_t column) {
    std::vector<double> times;
    std::vector<int> shots;
    for (const eval::FrameInfo &info : measured.frames) {
        times.push_back(info.time);
        shots.push_back(info.shot);
    }
    return eval::drift_per_minute(times, shots, measured.columns[column].shifts);
}

std::string marks(const std::vector<bool> &across) {
    std::string text;
    for (const bool mark : across)
        text += mark ? 'x' : '.';
    return text;
}

// `count` frames of one shot, every `step`th of them generated.
std::vector<eval::FrameInfo> frames(size_t count, size_t step = 1) {
    std::vector<eval::FrameInfo> list;
    for (size_t i = 0; i < count; i++)
        list.push_back({i, static_cast<double>(i), 0, i % step == 0});
    return list;
}

} // namespace

AIANIME_TEST(drift_of_a_ramp_is_its_slope) {
    const cv::Mat wide = wide_scene(1);
    eval::Evaluator evaluator = two_columns();
    for (size_t i = 0; i < 24; i++) {
        const cv::Mat source = seen(wide, static_cast<int>(i), 0);
        const double seconds = static_cast<double>(i) / 10;
        evaluator.add(frame(i), {source, colored(source, {0, -1.5 * seconds, 2 * seconds})});
    }
    ck_assert_double_eq_tol(drift(evaluator.measured(), 1), 60 * 2.5, 4);
    ck_assert_double_lt(drift(evaluator.measured(), 0), 4);
    ck_assert_double_eq_tol(evaluator.measured().columns[1].frames[20][eval::color_shift], 5, 0.15);
}

AIANIME_TEST(drift_goes_on_where_the_camera_left_its_start) {
    // 72 columns in all are 20 more than the picture has in common with its beginning.
    const cv::Mat wide = scene_picture({size.width + 260, size.height + 80}, 2);
    eval::Evaluator evaluator = two_columns();
    for (size_t i = 0; i < 30; i++) {
        const cv::Mat source = seen(wide, -6 * static_cast<int>(i), 0);
        evaluator.add(frame(i), {source, colored(source, {0.2 * static_cast<double>(i), 0, 0})});
    }
    const eval::Measured &measured = evaluator.measured();
    ck_assert_double_eq_tol(drift(measured, 1), 120, 8);
    ck_assert_double_eq_tol(measured.columns[1].frames[29][eval::color_shift], 5.8, 0.6);
}

AIANIME_TEST(drift_needs_two_seconds_of_what_can_be_found_again) {
    const std::vector<cv::Vec3d> shifts(8, {1, 2, 3});
    ck_assert(!eval::has_score(eval::drift_per_minute({0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}, std::vector<int>(8, 0), shifts)));
    // Two shots of four frames each: slopes of 1 and 3 a second; shifts begin anew.
    const std::vector<cv::Vec3d> two = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {3, 0, 0}, {0, 0, 0}, {0, 3, 0}, {0, 6, 0}, {0, 9, 0}};
    ck_assert_double_eq_tol(eval::drift_per_minute({0, 1, 2, 3, 4, 5, 6, 7}, {0, 0, 0, 0, 1, 1, 1, 1}, two), 120, 1e-9);
    // Noise: no frame is found again.
    eval::Evaluator evaluator = two_columns();
    cv::RNG random(5);
    for (size_t i = 0; i < 24; i++) {
        cv::Mat picture(size, CV_32FC3);
        random.fill(picture, cv::RNG::UNIFORM, 0, 1);
        evaluator.add(frame(i), {picture, picture});
    }
    ck_assert(!eval::has_score(drift(evaluator.measured(), 1)));
}

AIANIME_TEST(pairs_across_segments) {
    // Segments of 8 sharing 2 begin at 0, 6, 12, 18; the last frames of 20 are all in the third one.
    ck_assert(marks(eval::across_segments(frames(20), 8, 2)) == "......xxx...xxx.....");
    ck_assert(marks(eval::across_segments(frames(21), 8, 2)) == "......xxx...xxx...xxx");
    ck_assert(marks(eval::across_segments(frames(12), 4, 0)) == "....x...x...");
    ck_assert(marks(eval::across_segments(frames(12, 2), 4, 1)) == ".....xxxx...");
    // Windows of 4 sharing 1 in a segment of 10: 0, 3, 6; in one of 9 they are shorter, and as even as they can be: 0, 2, 5.
    ck_assert(marks(eval::across_windows(frames(10), 32, 4, 1)) == "...xx.xx..");
    ck_assert(marks(eval::across_windows(frames(9), 32, 4, 1)) == "..xx.xx..");
    ck_assert(marks(eval::across_windows(frames(14), 8, 4, 0)) == "....x......x..");
    ck_assert(marks(eval::across_windows(frames(20), 8, 4, 1)) == "..xxxx...xxxx...xx..");
    ck_assert(marks(eval::across_borders(frames(6), {2, 5, 9})) == "..x..x");
    // Counted from the beginning of each shot.
    std::vector<eval::FrameInfo> two = frames(10);
    for (size_t i = 3; i < 10; i++)
        two[i].shot = 1;
    ck_assert(marks(eval::across_segments(two, 4, 0)) == ".......x..");
}

AIANIME_TEST(a_jump_at_a_seam_is_found) {
    const cv::Mat wide = wide_scene(3);
    eval::Evaluator evaluator = two_columns();
    std::vector<double> errors;
    for (size_t i = 0; i < 9; i++) {
        const cv::Mat source = seen(wide, 0, 0);
        evaluator.add(frame(i), {source, source + cv::Scalar::all(0.01 * static_cast<double>(i % 2) + (i >= 4 ? 0.04 : 0))});
        errors.push_back(evaluator.measured().columns[1].frames.back()[eval::warp_error]);
    }
    // Inside, frames differ by 0.01; across the border by 0.03.
    ck_assert_double_eq_tol(eval::seam_ratio(errors, eval::across_segments(evaluator.measured().frames, 4, 0)), 2, 0.01);
    ck_assert_double_eq_tol(eval::seam_ratio(errors, eval::across_borders(evaluator.measured().frames, {4})), 3, 0.01);
    ck_assert(!eval::has_score(eval::seam_ratio(errors, std::vector<bool>(9))));
    ck_assert(!eval::has_score(eval::seam_ratio(std::vector<double>(9, 0.0), eval::across_segments(frames(9), 4, 0))));
}

AIANIME_TEST(nothing_is_compared_across_a_cut) {
    const cv::Mat first = wide_scene(4), second = wide_scene(5);
    eval::Judges judges;
    judges.embed = [](const cv::Mat &picture) { return std::vector<float>{picture.at<cv::Vec3f>(0, 0)[0] > 2 ? 0.0f : 1.0f, 0}; };
    eval::Evaluator evaluator({{"source", "source"}, {"result", "result"}}, judges);
    for (size_t i = 0; i < 6; i++) {
        const cv::Mat source = seen(i < 3 ? first : second, static_cast<int>(i), 0);
        evaluator.add(frame(i, i < 3 ? 0 : 1), {source, source * 0.9});
    }
    const eval::ColumnScores &result = evaluator.measured().columns[1];
    for (const size_t begin : {0, 3}) {
        for (const eval::Score score : {eval::warp_error, eval::warp_ssim, eval::texture_flow, eval::clip, eval::flicker})
            ck_assert(!eval::has_score(result.frames[begin][score]));
        ck_assert_double_eq(result.frames[begin][eval::color_shift], 0);
        ck_assert(!eval::has_score(result.frames[begin + 2][eval::flicker]));
        ck_assert(eval::has_score(result.frames[begin + 1][eval::flicker]));
        ck_assert_double_lt(result.frames[begin + 1][eval::warp_error], 8);
        ck_assert_double_eq_tol(result.frames[begin + 1][eval::clip], 1, 1e-6);
    }
}

AIANIME_TEST(a_column_may_end_before_the_others) {
    const cv::Mat wide = wide_scene(6);
    eval::Evaluator evaluator = two_columns();
    for (size_t i = 0; i < 5; i++)
        evaluator.add(frame(i), {seen(wide, static_cast<int>(i), 0), i < 3 ? seen(wide, static_cast<int>(i), 0) : cv::Mat()});
    const std::vector<eval::FrameScores> &scores = evaluator.measured().columns[1].frames;
    ck_assert(scores.size() == 5 && eval::has_score(scores[2][eval::warp_error]) && eval::has_score(scores[1][eval::flicker]));
    ck_assert(!eval::has_score(scores[2][eval::flicker]));
    for (size_t score = 0; score < eval::score_count; score++)
        ck_assert(!eval::has_score(scores[3][score]));
}

AIANIME_TEST(clips_with_nothing_in_them) {
    for (const double level : {0.0, 1.0}) { // black and white, of tiny pictures too
        for (const cv::Size &of : {cv::Size(64, 48), cv::Size(5, 3), cv::Size(1, 1)}) {
            eval::Evaluator evaluator = two_columns();
            const cv::Mat flat(of, CV_32FC3, cv::Scalar::all(level));
            for (size_t i = 0; i < 24; i++)
                evaluator.add(frame(i), {flat, flat});
            const eval::FrameScores &scores = evaluator.measured().columns[1].frames[5];
            ck_assert_double_eq(scores[eval::warp_error], 0);
            ck_assert_double_eq(scores[eval::flicker], 0);
            ck_assert_double_eq(scores[eval::style], 0);
            ck_assert_double_eq(drift(evaluator.measured(), 1), 0);
            ck_assert(!eval::has_score(scores[eval::texture_follows]));
            ck_assert(eval::has_score(scores[eval::warp_ssim]) == (of.height > 11));
        }
    }
}

int main() {
    return run_suite("eval_clip",
                     {drift_of_a_ramp_is_its_slope, drift_goes_on_where_the_camera_left_its_start,
                      drift_needs_two_seconds_of_what_can_be_found_again, pairs_across_segments, a_jump_at_a_seam_is_found,
                      nothing_is_compared_across_a_cut, a_column_may_end_before_the_others, clips_with_nothing_in_them});
}
