// SPDX-License-Identifier: LGPL-2.1-or-later
// Colours that drift are brought back to the anchor's; colours that the source changes are left.
#include "support.h"
#include "vision_pictures.h"

#include "vision/color_lock.h"

using namespace aianime::vision;

namespace {

const cv::Size frame_size(192, 144);

// A camera over a wide scene.
cv::Mat view(int seed, int x) {
    const cv::Mat scene = scene_picture({frame_size.width * 2, frame_size.height}, seed);
    return scene(cv::Rect({x, 0}, frame_size)).clone();
}

// What a network that does not drift makes of a source: other colours, flatter.
cv::Mat styled(const cv::Mat &source) {
    cv::Mat out;
    cv::transform(source, out, cv::Matx34f(0.7f, 0.2f, 0, 0.05f, 0.1f, 0.6f, 0.1f, 0.1f, 0, 0.1f, 0.7f, 0.1f));
    return out;
}

cv::Mat lab(const cv::Mat &picture) {
    cv::Mat out;
    cv::cvtColor(picture, out, cv::COLOR_RGB2Lab);
    return out;
}

cv::Mat moved(const cv::Mat &picture, const cv::Vec3d &shift, double gain = 1) {
    cv::Mat colors = lab(picture), out;
    for (int y = 0; y < colors.rows; y++)
        for (int x = 0; x < colors.cols; x++) {
            cv::Vec3d color = colors.at<cv::Vec3f>(y, x);
            color = cv::Vec3d(60, 0, 0) + gain * (color - cv::Vec3d(60, 0, 0)) + shift;
            colors.at<cv::Vec3f>(y, x) = color;
        }
    cv::cvtColor(colors, out, cv::COLOR_Lab2RGB);
    return cv::min(cv::max(out, cv::Scalar::all(0)), cv::Scalar::all(1));
}

// Mean distance of L*a*b* colours.
double distance(const cv::Mat &a, const cv::Mat &b) {
    const cv::Mat difference = lab(a) - lab(b);
    double sum = 0;
    for (int y = 0; y < a.rows; y++)
        for (int x = 0; x < a.cols; x++)
            sum += cv::norm(difference.at<cv::Vec3f>(y, x));
    return sum / static_cast<double>(a.total());
}

} // namespace

AIANIME_TEST(the_anchor_stays) {
    for (int seed = 0; seed < 5; seed++) {
        const cv::Mat source = view(seed, 0), picture = styled(source);
        ck_assert_double_lt(distance(ColorLock(source, picture).apply(source, picture, 1), picture), 0.1);
    }
}

AIANIME_TEST(drift_is_removed) {
    for (int seed = 0; seed < 5; seed++)
        for (const cv::Vec3d &shift : {cv::Vec3d(5, 0, 0), cv::Vec3d(-3, 4, -4), cv::Vec3d(2, -5, 3)}) {
            const ColorLock lock(view(seed, 0), styled(view(seed, 0)));
            const cv::Mat source = view(seed, 40), picture = styled(source), drifted = moved(picture, shift);
            const double before = distance(drifted, picture), after = distance(lock.apply(source, drifted, 1), picture);
            ck_assert_msg(before > 4 && after < 0.2 * before, "seed %d: %.2f dE became %.2f", seed, before, after);
        }
}

AIANIME_TEST(contrast_that_drifts_is_removed) {
    for (int seed = 0; seed < 5; seed++) {
        const ColorLock lock(view(seed, 0), styled(view(seed, 0)));
        const cv::Mat source = view(seed, 30), picture = styled(source), drifted = moved(picture, {0, 0, 0}, 0.75);
        const double before = distance(drifted, picture), after = distance(lock.apply(source, drifted, 1), picture);
        ck_assert_msg(before > 2 && after < 0.5 * before, "seed %d: %.2f dE became %.2f", seed, before, after);
    }
}

// The source is lit otherwise and what is made of it follows: nothing is to be corrected.
AIANIME_TEST(light_that_changes_stays) {
    for (int seed = 0; seed < 5; seed++) {
        const ColorLock lock(view(seed, 0), styled(view(seed, 0)));
        for (const cv::Scalar &light : {cv::Scalar(0.8, 0.8, 0.8), cv::Scalar(1, 0.9, 0.75), cv::Scalar(0.6, 0.7, 0.9)}) {
            const cv::Mat source = view(seed, 0).mul(cv::Mat(frame_size, CV_32FC3, light)), picture = styled(source);
            const double change = distance(picture, styled(view(seed, 0))),
                         error = distance(lock.apply(source, picture, 1), picture);
            ck_assert_msg(change > 3 && error < 0.15 * change, "seed %d: of a change of %.2f dE %.2f are undone", seed, change,
                          error);
        }
    }
}

// Light that changes and a drift at once: the drift goes, the light stays.
AIANIME_TEST(drift_under_other_light) {
    for (int seed = 0; seed < 5; seed++) {
        const ColorLock lock(view(seed, 0), styled(view(seed, 0)));
        const cv::Mat source = view(seed, 0) * 0.85, picture = styled(source), drifted = moved(picture, {4, 2, -2});
        const double before = distance(drifted, picture), after = distance(lock.apply(source, drifted, 1), picture);
        ck_assert_msg(after < 0.3 * before, "seed %d: %.2f dE became %.2f", seed, before, after);
    }
}

// Where no colour of the anchor is seen there is nothing to go by.
AIANIME_TEST(unknown_colors_stay) {
    const cv::Mat red(frame_size, CV_32FC3, cv::Scalar(0.9, 0.1, 0.1)), blue(frame_size, CV_32FC3, cv::Scalar(0.1, 0.1, 0.8));
    const cv::Mat picture = styled(blue);
    ck_assert_double_lt(distance(ColorLock(red, styled(red)).apply(blue, picture, 1), picture), 0.1);
}

AIANIME_TEST(a_wild_picture_is_moved_no_further_than_the_limit) {
    const cv::Mat source = view(1, 0);
    const ColorLock lock(source, styled(source));
    const cv::Mat wild = moved(styled(source), {-40, 0, 0});
    ck_assert_double_lt(distance(lock.apply(source, wild, 1), wild), 12.1);
}

AIANIME_TEST(strength_is_a_share) {
    const cv::Mat source = view(2, 0), picture = styled(source), drifted = moved(picture, {4, 0, 0});
    const ColorLock lock(source, picture);
    ck_assert_double_lt(distance(lock.apply(source, drifted, 0), drifted), 0.1);
    ck_assert_double_eq_tol(distance(lock.apply(source, drifted, 0.5), picture), 0.5 * distance(drifted, picture), 0.3);
}

AIANIME_TEST(the_same_again_and_in_any_order) {
    const ColorLock lock(view(3, 0), styled(view(3, 0)));
    const cv::Mat source = view(3, 20), drifted = moved(styled(source), {3, 1, 1});
    const cv::Mat once = lock.apply(source, drifted, 1);
    lock.apply(view(3, 50), styled(view(3, 50)), 1);
    ck_assert(cv::norm(once, lock.apply(source, drifted, 1), cv::NORM_INF) == 0);
    ck_assert(cv::norm(once, ColorLock(view(3, 0), styled(view(3, 0))).apply(source, drifted, 1), cv::NORM_INF) == 0);
}

AIANIME_TEST(black_white_and_tiny) {
    for (const double level : {0.0, 1.0})
        for (const cv::Size &size : {cv::Size(1, 1), cv::Size(16, 200)}) {
            const cv::Mat flat(size, CV_32FC3, cv::Scalar::all(level));
            const cv::Mat out = ColorLock(flat, flat).apply(flat, flat, 1);
            ck_assert(out.size() == size && cv::checkRange(out, true, nullptr, 0, 1.0001));
            ck_assert_double_lt(distance(out, flat), 0.05);
        }
}

int main() {
    return run_suite("color_lock", {the_anchor_stays, drift_is_removed, contrast_that_drifts_is_removed, light_that_changes_stays,
                                    drift_under_other_light, unknown_colors_stay, a_wild_picture_is_moved_no_further_than_the_limit,
                                    strength_is_a_share, the_same_again_and_in_any_order, black_white_and_tiny});
}
