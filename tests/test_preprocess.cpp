// SPDX-License-Identifier: LGPL-2.1-or-later
// Preprocessors without network against scipy, numpy and controlnet_aux; see golden/make_preprocess.py.
#include "support.h"
#include "vision_pictures.h"

#include "io/safetensors.h"
#include "vision/preprocess.h"

using namespace aianime;

namespace {

// A stored picture or mask of code values, as [0, 1].
cv::Mat golden(const std::string &name) {
    const io::SafetensorsFile file(tests_folder() + "/golden/preprocess/pictures.safetensors");
    const io::TensorInfo &info = file.tensors().at(name);
    const int channels = info.shape.size() == 3 ? static_cast<int>(info.shape[2]) : 1;
    const int depth = info.dtype == io::DType::u8 ? CV_8U : CV_32F;
    cv::Mat codes(static_cast<int>(info.shape[0]), static_cast<int>(info.shape[1]), CV_MAKETYPE(depth, channels)), out;
    file.read(name, codes.data);
    codes.convertTo(out, CV_32F, 1.0 / 255);
    return out;
}

cv::Mat three_channels(const cv::Mat &mask) {
    cv::Mat out;
    cv::cvtColor(mask, out, cv::COLOR_GRAY2RGB);
    return out;
}

// Every third row and fifth column, as the larger goldens are stored.
cv::Mat some_pixels(const cv::Mat &picture) {
    cv::Mat out((picture.rows + 2) / 3, (picture.cols + 4) / 5, CV_32FC3);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++)
            out.at<cv::Vec3f>(y, x) = picture.at<cv::Vec3f>(3 * y, 5 * x);
    return out;
}

void expect_same(const cv::Mat &found, const cv::Mat &expected, double limit, const char *what) {
    ck_assert_msg(found.size() == expected.size() && found.type() == expected.type(), "%s: other size or type", what);
    const double difference = cv::norm(found, expected, cv::NORM_INF);
    ck_assert_msg(difference <= limit, "%s: differs by %g", what, difference);
}

} // namespace

AIANIME_TEST(edges_are_the_reference_ones) {
    const cv::Mat picture = golden("picture");
    expect_same(vision::canny_edges(picture), three_channels(golden("canny")), 0, "canny");
    expect_same(vision::canny_edges(picture, 50, 80), three_channels(golden("canny_50_80")), 0, "canny 50 80");
}

AIANIME_TEST(lines_are_the_reference_ones) {
    const cv::Mat picture = golden("picture");
    expect_same(vision::scribble_lines(picture), three_channels(golden("scribble")), 0, "scribble");
    expect_same(vision::scribble_lines(picture, 10), three_channels(golden("scribble_10")), 0, "scribble 10");
}

AIANIME_TEST(smooth_kinds_are_the_reference_ones) {
    const cv::Mat picture = golden("picture");
    expect_same(some_pixels(vision::gaussian_blur(picture)), golden("blur"), 1e-5, "blur");
    expect_same(some_pixels(vision::tile_picture(picture)), golden("tile"), 1e-5, "tile");
    cv::Mat cells;
    cv::resize(golden("color"), cells, picture.size(), 0, 0, cv::INTER_NEAREST);
    expect_same(vision::color_grid(picture, 32), cells, 1e-5, "color");
}

// Every kind, at sizes that nothing divides: size and type kept, values in [0, 1], twice the same.
AIANIME_TEST(any_size) {
    const std::vector<cv::Mat (*)(const cv::Mat &)> kinds = {
        [](const cv::Mat &p) { return vision::canny_edges(p); },   [](const cv::Mat &p) { return vision::tile_picture(p); },
        [](const cv::Mat &p) { return vision::gaussian_blur(p); }, [](const cv::Mat &p) { return vision::scribble_lines(p); },
        [](const cv::Mat &p) { return vision::color_grid(p); },
    };
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 9), cv::Size(63, 65), cv::Size(130, 71)}) {
        const cv::Mat picture = scene_picture(size, 4), before = picture.clone();
        for (size_t i = 0; i < kinds.size(); i++) {
            const cv::Mat out = kinds[i](picture);
            ck_assert_msg(out.size() == size && out.type() == CV_32FC3, "kind %zu: other size or type", i);
            ck_assert_msg(cv::checkRange(out, true, nullptr, -1e-6, 1 + 1e-6), "kind %zu: outside the range", i);
            expect_same(kinds[i](picture), out, 0, "the second time");
        }
        expect_same(picture, before, 0, "the source");
    }
}

// A dark line on light ground becomes one white line; the light one on dark ground does not.
AIANIME_TEST(lines_are_dark_on_light) {
    cv::Mat light(64, 64, CV_32FC3, cv::Scalar::all(0.8)), dark(64, 64, CV_32FC3, cv::Scalar::all(0.2));
    light.rowRange(30, 33).setTo(cv::Scalar::all(0.1));
    dark.rowRange(30, 33).setTo(cv::Scalar::all(0.9));
    const cv::Mat lines = vision::scribble_lines(light), none = vision::scribble_lines(dark);
    ck_assert(lines.at<cv::Vec3f>(31, 32) == cv::Vec3f::all(1));
    ck_assert(lines.at<cv::Vec3f>(5, 32) == cv::Vec3f::all(0));
    ck_assert(none.at<cv::Vec3f>(31, 32) == cv::Vec3f::all(0));
}

AIANIME_TEST(refuses_what_is_no_picture) {
    expect_error([] { vision::canny_edges(cv::Mat()); }, AIANIME_INTERNAL, "three float channels");
    expect_error([] { vision::tile_picture(cv::Mat(4, 4, CV_8UC3)); }, AIANIME_INTERNAL, "three float channels");
}

int main() {
    return run_suite("preprocess", {edges_are_the_reference_ones, lines_are_the_reference_ones, smooth_kinds_are_the_reference_ones,
                                    any_size, lines_are_dark_on_light, refuses_what_is_no_picture});
}
