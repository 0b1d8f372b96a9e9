// SPDX-License-Identifier: LGPL-2.1-or-later
// Open eyes and closed ones, drawn and real, against golden/make_eye_state.py.
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <numeric>

#include "io/json.h"
#include "support.h"
#include "vision/eye_state.h"

using namespace aianime;
using namespace aianime::vision;

namespace {

io::Json golden() { return io::Json::load(tests_folder() + "/golden/eye_state/eyes.json"); }

cv::Mat drawn(int number) {
    const cv::Mat row = cv::imread(tests_folder() + "/golden/eye_state/eyes.png", cv::IMREAD_GRAYSCALE);
    return row(cv::Rect(number * eye_patch_width, 0, eye_patch_width, eye_patch_height)).clone();
}

float odds(const cv::Mat &patch) {
    cv::Mat floats;
    patch.convertTo(floats, CV_32F);
    const std::array<float, eye_features> features = eye_histograms(floats);
    return std::inner_product(features.begin(), features.end(), eye_weights.begin(), eye_constant);
}

struct Head {
    cv::Mat rgb;
    FacePoints points{};
};

// Two drawn eyes on a plain face, each so wide, the right one mirrored, all turned by an angle around the face's middle.
Head head(int left, int right, float width = 30, double degrees = 0) {
    Head out;
    out.rgb = cv::Mat(480, 640, CV_8UC3, cv::Scalar(150, 120, 100));
    const double scale = width / 30;
    const cv::Size size(cvRound(eye_patch_width * scale), cvRound(eye_patch_height * scale));
    const cv::Point middle(320, 240);
    const auto place = [&](int number, bool mirrored, int x, size_t first) {
        cv::Mat patch, colours;
        cv::resize(drawn(number), patch, size, 0, 0, cv::INTER_CUBIC);
        if (mirrored)
            cv::flip(patch, patch, 1);
        cv::cvtColor(patch, colours, cv::COLOR_GRAY2RGB);
        colours.copyTo(out.rgb(cv::Rect({x - size.width / 2, middle.y - size.height / 2}, size)));
        const float half = width / 2;
        out.points[first] = cv::Point2f(static_cast<float>(x) - half, static_cast<float>(middle.y));
        out.points[first + 3] = cv::Point2f(static_cast<float>(x) + half, static_cast<float>(middle.y));
    };
    place(left, false, middle.x - size.width, 36);
    place(right, true, middle.x + size.width, 42);
    const cv::Mat turn = cv::getRotationMatrix2D(middle, degrees, 1);
    cv::warpAffine(out.rgb, out.rgb, turn, out.rgb.size(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
    for (cv::Point2f &point : out.points) {
        const cv::Mat moved = turn * (cv::Mat_<double>(3, 1) << point.x, point.y, 1);
        point = {static_cast<float>(moved.at<double>(0)), static_cast<float>(moved.at<double>(1))};
    }
    return out;
}

float evidence(const Head &head) { return eyes_evidence(head.rgb, head.points); }

} // namespace

AIANIME_TEST(histograms_agree_with_numpy) {
    cv::Mat patch;
    drawn(0).convertTo(patch, CV_32F);
    const std::array<float, eye_features> features = eye_histograms(patch);
    const io::Json wanted = golden().at("features");
    ck_assert_uint_eq(wanted.size(), features.size());
    for (size_t i = 0; i < features.size(); i++)
        ck_assert_float_eq_tol(features[i], wanted.at(i).number(-9, 9), 1e-4);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq_tol(odds(drawn(i)), golden().at("odds").at(static_cast<size_t>(i)).number(-99, 99), 1e-3);
}

// Cut out where it was put, upright, the right one as if it were the left one.
AIANIME_TEST(a_patch_is_the_eye) {
    for (const double degrees : {0.0, 30.0})
        for (const int eye : {0, 1}) {
            const Head both = head(0, 1, 90, degrees);
            const size_t first = eye == 0 ? 36 : 42;
            const cv::Mat patch = eye_patch(both.rgb, both.points[first], both.points[first + 3], eye == 1);
            cv::Mat flipped, wanted;
            drawn(eye).convertTo(wanted, CV_32F);
            cv::flip(patch, flipped, 1);
            const double pixels = patch.rows * patch.cols, off = cv::norm(patch, wanted, cv::NORM_L1) / pixels;
            ck_assert_msg(off < 4, "eye %d, %.0f degrees: off by %.1f", eye, degrees, off);
            ck_assert_double_gt(cv::norm(flipped, wanted, cv::NORM_L1) / pixels, 2 * off);
        }
}

AIANIME_TEST(open_and_closed_ones) {
    for (int i = 0; i < 8; i++)
        ck_assert((odds(drawn(i)) > 0) == (i < 4));
    ck_assert_float_gt(evidence(head(2, 3)), 1);
    ck_assert_float_lt(evidence(head(5, 7)), -1);
}

AIANIME_TEST(of_any_size_and_turn) {
    for (const float width : {14.0f, 30.0f, 55.0f, 120.0f})
        for (const double degrees : {-35.0, 0.0, 25.0}) {
            ck_assert_msg(evidence(head(2, 3, width, degrees)) > 0.5f, "open, width %.0f, %.0f degrees", width, degrees);
            ck_assert_msg(evidence(head(5, 7, width, degrees)) < -0.5f, "closed, width %.0f, %.0f degrees", width, degrees);
        }
}

AIANIME_TEST(bytes_and_floats_say_the_same) {
    const Head bytes = head(2, 3, 40);
    cv::Mat floats;
    bytes.rgb.convertTo(floats, CV_32F, 1.0 / 255);
    ck_assert_float_eq_tol(eyes_evidence(floats, bytes.points), evidence(bytes), 0.05f);
}

// One eye behind a hand does not outweigh the other; of a head that is turned away only the nearer one counts.
AIANIME_TEST(one_eye_is_enough) {
    Head one = head(5, 7);
    ck_assert_float_ge(evidence(one), -3);
    one.points[45] = one.points[42] + cv::Point2f(6, 0);
    const float left = evidence(one);
    ck_assert_float_eq_tol(left, std::max(odds(drawn(5)), -3.0f), 0.3f);
    one.rgb(cv::Rect(340, 200, 200, 80)).setTo(0);
    ck_assert_float_eq_tol(evidence(one), left, 1e-5f);
}

AIANIME_TEST(nothing_to_be_seen) {
    const Head open = head(2, 3);
    Head tiny = open;
    for (cv::Point2f &point : tiny.points)
        point *= 0.1f;
    ck_assert_float_eq(eyes_evidence(open.rgb, tiny.points), 0);
    ck_assert_float_eq(eyes_evidence(open.rgb, FacePoints{}), 0);
    FacePoints outside = open.points;
    for (cv::Point2f &point : outside)
        point += cv::Point2f(5000, -7000);
    ck_assert(std::isfinite(eyes_evidence(open.rgb, outside)));
    ck_assert(std::isfinite(eyes_evidence(cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(9)), open.points)));
}

AIANIME_TEST(what_was_so_stays) {
    ck_assert(eyes_open(0) && eyes_open(0.2f, true) && !eyes_open(0.2f, false));
    ck_assert(eyes_open(-0.2f, true) && !eyes_open(-1, true) && eyes_open(1, false));
}

int main() {
    return run_suite("eye_state", {histograms_agree_with_numpy, a_patch_is_the_eye, open_and_closed_ones, of_any_size_and_turn,
                                   bytes_and_floats_say_the_same, one_eye_is_enough, nothing_to_be_seen, what_was_so_stays});
}
