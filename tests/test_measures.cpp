// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures of pictures against scikit-image, numpy and scipy; see golden/make_measures.py.
#include "support.h"
#include "vision_pictures.h"

#include <fstream>

#include "io/safetensors.h"
#include "train/lab.h"
#include "train/measures.h"

using namespace aianime;

namespace {

cv::Mat golden(const std::string &name) {
    const io::SafetensorsFile file(tests_folder() + "/golden/measures/pictures.safetensors");
    const io::TensorInfo &info = file.tensors().at(name);
    const int channels = info.shape.size() == 3 ? static_cast<int>(info.shape[2]) : 1;
    const bool bytes = info.dtype == io::DType::u8;
    cv::Mat stored(static_cast<int>(info.shape[0]), info.shape.size() > 1 ? static_cast<int>(info.shape[1]) : 1,
                   CV_MAKETYPE(bytes ? CV_8U : CV_32F, channels)),
        out;
    file.read(name, stored.data);
    stored.convertTo(out, CV_32F, bytes ? 1.0 / 255 : 1);
    return out;
}

double number(const std::string &wanted) {
    std::ifstream file(tests_folder() + "/golden/measures/numbers.txt");
    std::string name;
    for (double value; file >> name >> value;)
        if (name == wanted)
            return value;
    ck_abort_msg("no number %s", wanted.c_str());
    return 0;
}

cv::Mat with_checkerboard(const cv::Mat &picture, int period, float amplitude) {
    cv::Mat out = picture.clone();
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++)
            out.at<cv::Vec3f>(y, x) += cv::Vec3f::all((x / (period / 2) + y / (period / 2)) % 2 ? amplitude : -amplitude);
    return out;
}

} // namespace

AIANIME_TEST(similarity_is_the_reference_one) {
    const cv::Mat a = golden("a"), b = golden("b");
    ck_assert_double_eq_tol(train::psnr(a, b), number("psnr"), 1e-4);
    ck_assert_double_eq_tol(train::ssim(a, b), number("ssim"), 1e-6);
    ck_assert_double_eq_tol(train::ssim(b, a), number("ssim"), 1e-6);
    ck_assert_double_eq(train::psnr(a, a), 99);
    ck_assert_double_eq_tol(train::ssim(a, a), 1, 1e-12);
}

AIANIME_TEST(edges_match_as_in_the_reference) {
    const cv::Mat a = golden("a"), b = golden("b");
    const train::EdgeMatch match = train::edge_match(a, b);
    ck_assert_double_eq_tol(match.precision, number("edge_precision"), 1e-6);
    ck_assert_double_eq_tol(match.recall, number("edge_recall"), 1e-6);
    ck_assert_double_eq_tol(match.f1(), 2 / (1 / match.precision + 1 / match.recall), 1e-12);
    const cv::Mat flat(a.size(), CV_32FC3, cv::Scalar::all(0.5));
    ck_assert_double_eq(train::edge_match(flat, flat).f1(), 1);
    ck_assert_double_eq(train::edge_match(flat, a).f1(), 0);
    ck_assert_double_eq(train::edge_match(a, flat).f1(), 0);
}

// Two pixels aside is not where the line is.
AIANIME_TEST(edges_have_one_pixel_of_tolerance) {
    cv::Mat lines[3];
    for (int i = 0; i < 3; i++) {
        lines[i] = cv::Mat(64, 64, CV_32FC3, cv::Scalar::all(0.2));
        lines[i].colRange(32 + i, 64).setTo(cv::Scalar::all(0.9));
    }
    ck_assert_double_eq(train::edge_match(lines[1], lines[0]).f1(), 1);
    ck_assert_double_eq(train::edge_match(lines[2], lines[0]).f1(), 0);
}

AIANIME_TEST(lines_are_dark_and_thin) {
    ck_assert_double_eq_tol(train::line_density(golden("a")), number("lines"), 1e-6);
    cv::Mat picture(60, 100, CV_32FC3, cv::Scalar::all(0.8));
    ck_assert_double_eq(train::line_density(picture), 0);
    picture.colRange(50, 53).setTo(cv::Scalar::all(0.1));
    ck_assert_double_eq_tol(train::line_density(picture), 0.03, 1e-9);
    picture.colRange(10, 30).setTo(cv::Scalar::all(0.1)); // an area, not a line
    picture.colRange(70, 73).setTo(cv::Scalar::all(1));   // a bright one
    ck_assert_double_eq_tol(train::line_density(picture), 0.03, 1e-9);
}

AIANIME_TEST(colors_are_the_reference_ones) {
    const cv::Mat lab = train::to_lab(golden("colors")), expected = golden("lab");
    const double difference = cv::norm(lab, expected, cv::NORM_INF);
    ck_assert_msg(difference < 2e-3, "L*a*b* differs by %g", difference);
    const cv::Mat by76 = golden("delta_e76"), by2000 = golden("delta_e2000");
    ck_assert_int_eq(by76.rows, expected.rows);
    for (int i = 0; i < expected.rows; i++) {
        const cv::Vec3d a = expected.at<cv::Vec3f>(i, 0), b = expected.at<cv::Vec3f>(i, 1);
        ck_assert_double_eq_tol(train::delta_e76(a, b), static_cast<double>(by76.at<float>(i)), 1e-3);
        ck_assert_double_eq_tol(train::delta_e2000(a, b), static_cast<double>(by2000.at<float>(i)), 1e-3);
        ck_assert_double_eq_tol(train::delta_e2000(b, a), static_cast<double>(by2000.at<float>(i)), 1e-3);
    }
}

// Pairs 1, 7, 13, 17 and 25 of the table published with the formula (Sharma, Wu, Dalal 2005), where mistakes hide.
AIANIME_TEST(delta_e2000_of_the_published_pairs) {
    const struct {
        cv::Vec3d a, b;
        double difference;
    } pairs[] = {
        {{50, 2.6772, -79.7751}, {50, 0, -82.7485}, 2.0425},
        {{50, 0, 0}, {50, -1, 2}, 2.3669},
        {{50, 2.49, -0.001}, {50, -2.49, 0.0011}, 7.2195},
        {{50, 2.5, 0}, {73, 25, -18}, 27.1492},
        {{60.2574, -34.0099, 36.2677}, {60.4626, -34.1751, 39.4387}, 1.2644},
    };
    for (const auto &pair : pairs)
        ck_assert_double_eq_tol(train::delta_e2000(pair.a, pair.b), pair.difference, 1e-4);
}

AIANIME_TEST(mean_colors_and_their_spread) {
    cv::Mat lab(4, 8, CV_32FC3, cv::Scalar(50, 10, 0));
    lab.colRange(4, 8).setTo(cv::Scalar(70, -10, 20));
    ck_assert_double_eq_tol(cv::norm(train::mean_lab(lab) - cv::Vec3d(60, 0, 10)), 0, 1e-6);
    cv::Mat weights = cv::Mat::zeros(4, 8, CV_8UC1);
    ck_assert_double_eq(cv::norm(train::mean_lab(lab, weights)), 0);
    weights.colRange(4, 8).setTo(200);
    ck_assert_double_eq_tol(cv::norm(train::mean_lab(lab, weights) - cv::Vec3d(70, -10, 20)), 0, 1e-6);
    ck_assert_double_eq(train::color_spread({}), 0);
    ck_assert_double_eq(train::color_spread({{50, 0, 0}}), 0);
    ck_assert_double_eq_tol(train::color_spread({{50, 0, 0}, {53, 0, 0}, {50, 4, 0}}), 4, 1e-9); // 3, 4 and 5
}

AIANIME_TEST(checkerboards_stand_out) {
    const cv::Mat picture = scene_picture({320, 192}, 2) * 0.8 + cv::Scalar::all(0.1);
    const train::Blockiness clean = train::blockiness(picture);
    ck_assert_double_lt(std::max(clean.period2, clean.period4), 0.3);
    ck_assert_double_lt(clean.period8, 0.8); // low frequencies hold most of a picture
    const float amplitude = 2.f / 255;
    const train::Blockiness fine = train::blockiness(with_checkerboard(picture, 2, amplitude));
    ck_assert_double_eq_tol(fine.period2, 2, 0.1);
    ck_assert_double_lt(fine.period4, 0.6);
    const train::Blockiness middle = train::blockiness(with_checkerboard(picture, 4, amplitude));
    ck_assert_double_eq_tol(middle.period4, 2, 0.2);
    ck_assert_double_lt(middle.period2, 0.6);
    const train::Blockiness coarse = train::blockiness(with_checkerboard(picture, 8, amplitude));
    ck_assert_double_eq_tol(coarse.period8, 1.8, 0.4); // the pattern's harmonics lie on other lines
}

// Periods near a decoder's are a picture's own business.
AIANIME_TEST(stripes_of_other_periods_do_not) {
    cv::Mat stripes(192, 192, CV_32FC3);
    for (int y = 0; y < stripes.rows; y++)
        for (int x = 0; x < stripes.cols; x++)
            stripes.at<cv::Vec3f>(y, x) = cv::Vec3f::all(0.5f + 0.1f * std::sin(2 * 3.14159265f * x / 5.f));
    const train::Blockiness found = train::blockiness(stripes);
    ck_assert_double_lt(std::max({found.period2, found.period4, found.period8}), 0.1);
}

AIANIME_TEST(what_cannot_be_measured_is_refused) {
    const cv::Mat a = golden("a");
    cv::Mat bytes;
    a.convertTo(bytes, CV_8U, 255);
    const auto refused = [](auto call) { expect_error(call, AIANIME_INVALID, ""); };
    refused([&] { return train::psnr(a, a.rowRange(0, 20)); });
    refused([&] { return train::ssim(a.rowRange(0, 10), a.rowRange(0, 10)); });
    refused([&] { return train::edge_match(bytes, bytes); });
    refused([&] { return train::line_density(cv::Mat()); });
    refused([&] { return train::blockiness(a.rowRange(0, 63)); });
    refused([&] { return train::to_lab(bytes); });
    refused([&] { return train::mean_lab(a, a); });
}

int main() {
    return run_suite("measures", {similarity_is_the_reference_one, edges_match_as_in_the_reference,
                                  edges_have_one_pixel_of_tolerance, lines_are_dark_and_thin, colors_are_the_reference_ones,
                                  delta_e2000_of_the_published_pairs, mean_colors_and_their_spread, checkerboards_stand_out,
                                  stripes_of_other_periods_do_not, what_cannot_be_measured_is_refused});
}
