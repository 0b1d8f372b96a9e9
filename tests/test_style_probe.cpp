// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"
#include "vision_pictures.h"

#include "train/style_probe.h"
#include "train/style_statistics.h"

using namespace aianime;

namespace {

cv::Mat flat(double r, double g, double b) { return cv::Mat(40, 60, CV_32FC3, cv::Scalar(r, g, b)); }

// Looks of a scene: as it is, gray, pale, dark and blue.
cv::Mat in_style(const cv::Mat &scene, size_t style) {
    cv::Mat gray, out;
    cv::cvtColor(scene, gray, cv::COLOR_RGB2GRAY);
    cv::cvtColor(gray, gray, cv::COLOR_GRAY2RGB);
    if (style == 0)
        return scene;
    if (style == 1)
        return gray;
    if (style == 2)
        return 0.4 * scene + cv::Scalar::all(0.55);
    cv::multiply(0.5 * scene + 0.2 * gray, cv::Scalar(0.5, 0.6, 1.1), out);
    return out;
}

} // namespace

AIANIME_TEST(statistics_of_plain_pictures) {
    const train::StyleStatistics gray = train::style_statistics(flat(0.5, 0.5, 0.5));
    ck_assert_double_eq_tol(gray.luminance, 53.39, 0.01);
    ck_assert_double_lt(gray.contrast, 0.05);
    ck_assert_double_lt(gray.chroma, 0.05);
    ck_assert_double_eq(gray.lines, 0);
    for (const double hue : gray.hues)
        ck_assert_double_eq(hue, 0);

    const train::StyleStatistics red = train::style_statistics(flat(1, 0, 0)), blue = train::style_statistics(flat(0, 0, 1));
    ck_assert_double_eq_tol(red.luminance, 53.24, 0.02);
    ck_assert_double_eq_tol(red.chroma, 104.55, 0.05);
    ck_assert_double_eq_tol(red.hues[1], 1, 1e-9);   // 40 degrees
    ck_assert_double_eq_tol(blue.hues[10], 1, 1e-9); // 306
    ck_assert_double_eq_tol(train::hue_distance(red, blue), 1, 1e-9);
    ck_assert_double_eq(train::hue_distance(red, red), 0);

    const train::StyleStatistics mean = train::mean_statistics({red, blue});
    ck_assert_double_eq_tol(mean.luminance, (red.luminance + blue.luminance) / 2, 1e-9);
    ck_assert_double_eq_tol(mean.hues[1], red.chroma / (red.chroma + blue.chroma), 1e-9);
}

AIANIME_TEST(distances_are_relative_to_the_target) {
    train::StyleStatistics target, after;
    target.luminance = 50, target.chroma = 20, target.lines = 0.05;
    after = target;
    ck_assert_double_eq(train::style_distance(after, target), 0);
    after.chroma = 24;
    ck_assert_double_eq_tol(train::style_distance(after, target), 0.2, 1e-9);
    after.lines = 0.02;
    ck_assert_double_eq_tol(train::style_distance(after, target), 0.6, 1e-9);
    target.chroma = after.chroma = 0; // gray is not far from gray
    after.chroma = 0.5, after.lines = 0.05;
    ck_assert_double_eq_tol(train::style_distance(after, target), 0.1, 1e-9);
}

// Trained on some scenes, asked about others, with a little noise.
AIANIME_TEST(probe_tells_looks_apart) {
    std::vector<std::vector<double>> features;
    std::vector<size_t> styles;
    for (int seed = 0; seed < 12; seed++)
        for (size_t style = 0; style < 4; style++) {
            features.push_back(train::color_features(in_style(scene_picture({96, 64}, seed), style)));
            styles.push_back(style);
        }
    const train::StyleProbe probe(features, styles);
    int right = 0;
    for (int seed = 100; seed < 120; seed++)
        for (size_t style = 0; style < 4; style++) {
            cv::Mat noise(64, 96, CV_32FC3);
            cv::theRNG().state = static_cast<uint64_t>(seed);
            cv::randn(noise, 0, 0.02);
            right += probe.classify(train::color_features(in_style(scene_picture({96, 64}, seed), style) + noise)) == style;
        }
    ck_assert_int_ge(right, 78);
}

AIANIME_TEST(probe_refuses_what_it_cannot_learn_from) {
    const auto refused = [](const std::vector<std::vector<double>> &features, const std::vector<size_t> &styles) {
        expect_error([&] { return train::StyleProbe(features, styles); }, AIANIME_INVALID, "a probe needs");
    };
    refused({}, {});
    refused({{1}, {2}}, {0, 0});
    refused({{1}, {2}, {3}}, {0, 0, 1});
    refused({{1}, {2}}, {0});
    const train::StyleProbe probe({{1, 0}, {2, 0}, {7, 0}, {8, 0}}, {0, 0, 1, 1});
    ck_assert_int_eq(probe.classify({1.6, 0}), 0);
    ck_assert_int_eq(probe.classify({6, 0}), 1);
    expect_error([&] { return probe.classify({1}); }, AIANIME_INVALID, "other features");
}

int main() {
    return run_suite("style_probe", {statistics_of_plain_pictures, distances_are_relative_to_the_target, probe_tells_looks_apart,
                                     probe_refuses_what_it_cannot_learn_from});
}
