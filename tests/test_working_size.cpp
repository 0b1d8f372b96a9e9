// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"
#include "vision_pictures.h"

#include "vision/working_size.h"

using namespace aianime::vision;

namespace {

void expect_sizes(cv::Size source, int short_side, int stride, cv::Size scaled, cv::Size padded) {
    const WorkingSize size = working_size(source, short_side, stride);
    ck_assert_msg(size.source == source && size.scaled == scaled && size.padded == padded,
                  "%dx%d at %d, stride %d: scaled %dx%d, padded %dx%d", source.width, source.height, short_side, stride,
                  size.scaled.width, size.scaled.height, size.padded.width, size.padded.height);
}

} // namespace

AIANIME_TEST(sizes) {
    expect_sizes({640, 360}, 0, 8, {640, 360}, {640, 360});
    expect_sizes({640, 360}, 0, 64, {640, 360}, {640, 384});
    expect_sizes({1920, 1080}, 512, 64, {910, 512}, {960, 512});
    expect_sizes({1080, 1920}, 512, 64, {512, 910}, {512, 960});
    expect_sizes({321, 243}, 0, 8, {321, 243}, {328, 248});
    expect_sizes({320, 240}, 480, 8, {640, 480}, {640, 480});
    expect_sizes({1, 1}, 0, 64, {1, 1}, {64, 64});
    expect_sizes({1, 1}, 16, 8, {16, 16}, {16, 16});
    expect_sizes({1000, 10}, 16, 8, {1600, 16}, {1600, 16});
    expect_sizes({4096, 4096}, 0, 8, {4096, 4096}, {4096, 4096});
}

AIANIME_TEST(refuses_what_is_too_large) {
    expect_error([] { working_size({4096, 4097}, 0, 8); }, AIANIME_OUT_OF_RANGE, "4096x4104");
    expect_error([] { working_size({8192, 8192}, 0, 64); }, AIANIME_OUT_OF_RANGE, "smaller size");
    expect_error([] { working_size({100, 100}, 0, 8, 10000); }, AIANIME_OUT_OF_RANGE, "10000 pixels");
    expect_error([] { working_size({100000, 1}, 0, 8); }, AIANIME_OUT_OF_RANGE, "100000x8");
    expect_error([] { working_size({INT32_MAX, 1}, 4096, 64); }, AIANIME_OUT_OF_RANGE, "limit");
    ck_assert_int_eq(working_size({100, 100}, 0, 4, 10000).padded.area(), 10000);
}

AIANIME_TEST(pads_by_reflection) {
    cv::Mat row(1, 3, CV_32FC1);
    for (int x = 0; x < 3; x++)
        row.at<float>(0, x) = static_cast<float>(x) / 4;
    const cv::Mat padded = to_working(row, working_size({3, 1}, 0, 8));
    ck_assert_int_eq(padded.cols, 8);
    ck_assert_int_eq(padded.rows, 8);
    const int expected[8] = {0, 1, 2, 1, 0, 1, 2, 1};
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            ck_assert_float_eq(padded.at<float>(y, x), static_cast<float>(expected[x]) / 4);
}

AIANIME_TEST(any_size_comes_back_with_the_same_pixels) {
    for (const cv::Size source : {cv::Size(1, 1), cv::Size(2, 2), cv::Size(7, 5), cv::Size(15, 15), cv::Size(16, 16),
                                  cv::Size(63, 65), cv::Size(321, 243), cv::Size(1, 300)})
        for (const int stride : {1, 8, 64}) {
            const cv::Mat picture = scene_picture(source, 4);
            const WorkingSize size = working_size(source, 0, stride);
            const cv::Mat padded = to_working(picture, size);
            ck_assert(padded.size() == size.padded && padded.type() == CV_32FC3);
            ck_assert_double_eq(cv::norm(from_working(crop_working(padded, size), size), picture, cv::NORM_INF), 0);
        }
}

AIANIME_TEST(scaling_keeps_the_picture) {
    const cv::Mat picture = smooth_picture({200, 120}, 9, 0, 1, 20);
    for (const int short_side : {60, 90, 240}) {
        const WorkingSize size = working_size(picture.size(), short_side, 8);
        const cv::Mat back = from_working(crop_working(to_working(picture, size), size), size);
        ck_assert(back.size() == picture.size());
        ck_assert_msg(psnr(back, picture) > 38, "short side %d: %.1f dB", short_side, psnr(back, picture));
    }
}

// Enlarging overshoots at edges; the result is a valid picture all the same.
AIANIME_TEST(result_is_clipped) {
    cv::Mat picture(8, 8, CV_32FC3, cv::Scalar::all(0));
    picture.colRange(4, 8).setTo(cv::Scalar::all(1));
    const WorkingSize size = working_size({32, 32}, 8, 8);
    double least, most;
    cv::minMaxLoc(from_working(picture, size).reshape(1), &least, &most);
    ck_assert_double_eq(least, 0);
    ck_assert_double_eq(most, 1);
}

AIANIME_TEST(pictures_of_other_sizes_are_refused) {
    const WorkingSize size = working_size({30, 20}, 0, 16);
    const cv::Mat wrong(21, 30, CV_32FC3, cv::Scalar::all(0));
    expect_error([&] { to_working(wrong, size); }, AIANIME_INTERNAL, "30x21");
    expect_error([&] { crop_working(wrong, size); }, AIANIME_INTERNAL, "30x21");
    expect_error([&] { from_working(wrong, size); }, AIANIME_INTERNAL, "30x21");
}

int main() {
    return run_suite("working_size",
                     {sizes, refuses_what_is_too_large, pads_by_reflection, any_size_comes_back_with_the_same_pixels,
                      scaling_keeps_the_picture, result_is_clipped, pictures_of_other_sizes_are_refused});
}
