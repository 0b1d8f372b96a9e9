// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"

#include <opencv2/imgproc.hpp>

#include "train/sheet.h"
#include "vision/contact_sheet.h"
#include "vision/png.h"

using namespace aianime::vision;

namespace {

const cv::Scalar source_color(200, 20, 20), result_color(20, 20, 200);

ContactRow pair(cv::Size source, cv::Size result, const std::string &label = "0:03.20") {
    return {cv::Mat(source, CV_8UC3, source_color), cv::Mat(result, CV_8UC3, result_color), label};
}

int64_t count(const cv::Mat &sheet, const cv::Scalar &color) {
    cv::Mat mask;
    cv::inRange(sheet, color - cv::Scalar::all(2), color + cv::Scalar::all(2), mask);
    return cv::countNonZero(mask);
}

cv::Rect bounds(const cv::Mat &sheet, const cv::Scalar &color) {
    cv::Mat mask;
    cv::inRange(sheet, color - cv::Scalar::all(2), color + cv::Scalar::all(2), mask);
    return cv::boundingRect(mask);
}

} // namespace

AIANIME_TEST(source_above_result) {
    const cv::Mat sheet = contact_sheet({pair({160, 90}, {160, 90})}, 4, 160);
    ck_assert_int_eq(sheet.type(), CV_8UC3);
    const cv::Rect above = bounds(sheet, source_color), below = bounds(sheet, result_color);
    ck_assert_int_eq(above.area(), 160 * 90);
    ck_assert_int_eq(below.area(), 160 * 90);
    ck_assert_int_eq(below.y, above.y + 90);
    ck_assert_int_eq(below.x, above.x);
    ck_assert_int_gt(above.x, 0);
    ck_assert_int_gt(sheet.rows, below.y + below.height); // room for the label
}

AIANIME_TEST(columns_and_rows) {
    const std::vector<ContactRow> rows(7, pair({64, 36}, {64, 36}));
    const cv::Mat four = contact_sheet(rows, 4, 64), one = contact_sheet(rows, 1, 64), many = contact_sheet(rows, 100, 64);
    for (const cv::Mat &sheet : {four, one, many}) {
        ck_assert_int_eq(count(sheet, source_color), 7 * 64 * 36);
        ck_assert_int_eq(count(sheet, result_color), 7 * 64 * 36);
    }
    ck_assert_int_gt(four.cols, 4 * 64);
    ck_assert_int_lt(four.cols, 5 * 64);
    ck_assert_int_lt(one.cols, 2 * 64);
    ck_assert_int_gt(many.cols, 7 * 64);
}

AIANIME_TEST(result_takes_the_shape_of_the_source) {
    const cv::Mat sheet = contact_sheet({pair({320, 180}, {100, 100})}, 1, 160);
    ck_assert(bounds(sheet, source_color).size() == cv::Size(160, 90));
    ck_assert(bounds(sheet, result_color).size() == cv::Size(160, 90));
}

// A tall picture beside a wide one: both whole, none stretched.
AIANIME_TEST(mixed_shapes) {
    const cv::Mat sheet = contact_sheet({pair({160, 90}, {160, 90}), pair({90, 160}, {90, 160})}, 2, 160);
    const int64_t tall_height = 284; // 160 * 160 / 90
    ck_assert_int_eq(count(sheet, source_color), 160 * 90 + 160 * tall_height);
}

AIANIME_TEST(labels_are_drawn_and_fit) {
    const cv::Mat with = contact_sheet({pair({160, 90}, {160, 90})}, 1, 160),
                  without = contact_sheet({pair({160, 90}, {160, 90}, "")}, 1, 160);
    ck_assert_double_gt(cv::norm(with, without, cv::NORM_L1), 0);
    const cv::Mat narrow = contact_sheet({pair({16, 9}, {16, 9}, "a label far longer than its cell")}, 1, 16);
    ck_assert_int_lt(narrow.cols, 60);
}

// Three pictures of one stack lie above each other, and a stack of one leaves its place empty.
AIANIME_TEST(stacks_of_any_height) {
    const cv::Scalar third(20, 200, 20);
    const cv::Mat red(90, 160, CV_8UC3, source_color), blue(90, 160, CV_8UC3, result_color), green(45, 80, CV_8UC3, third);
    const cv::Mat sheet = stacked_sheet({{{red, blue, green}, "three"}, {{red}, "one"}}, 2, 160);
    ck_assert_int_eq(count(sheet, source_color), 2 * 160 * 90);
    ck_assert_int_eq(bounds(sheet, third).area(), 160 * 90);
    ck_assert_int_eq(bounds(sheet, third).y, bounds(sheet, result_color).y + 90);
    expect_error([] { stacked_sheet({{{}, "none"}}, 1, 160); }, AIANIME_INVALID, "every cell");
}

// As a file: colours in their places, and no file where there is nowhere to put it.
AIANIME_TEST(sheets_of_float_pictures_are_written) {
    const TempFolder folder;
    const cv::Mat red(90, 160, CV_32FC3, cv::Scalar(1, 0, 0));
    aianime::train::write_sheet(folder.path("a.png"), {{{red, red}, "red"}}, 4, 160);
    const cv::Mat sheet = aianime::vision::load_png(folder.path("a.png"));
    cv::Mat mask;
    cv::inRange(sheet, cv::Scalar(0.99, -1, -1), cv::Scalar(2, 0.01, 0.01), mask);
    ck_assert_int_eq(cv::countNonZero(mask), 2 * 160 * 90);
    expect_error([&] { aianime::train::write_sheet(folder.path("none/a.png"), {{{red}, ""}}, 1, 8); }, AIANIME_NOT_FOUND, "none");
    expect_error(
        [&] {
            aianime::train::write_sheet(folder.path("b.png"), {{{cv::Mat(4, 4, CV_8UC3)}, ""}}, 1, 8);
        },
        AIANIME_INVALID, "float");
}

AIANIME_TEST(extreme_sizes) {
    contact_sheet({pair({1, 1}, {1, 1})}, 1, 1);
    contact_sheet({pair({1000, 1}, {1, 1000})}, 3, 50);
}

AIANIME_TEST(refuses_what_is_no_picture) {
    expect_error([] { contact_sheet({}, 4, 160); }, AIANIME_INVALID, "at least one picture");
    expect_error([] { contact_sheet({pair({8, 8}, {8, 8})}, 0, 160); }, AIANIME_INVALID, "column");
    expect_error([] { contact_sheet({pair({8, 8}, {8, 8})}, 1, 0); }, AIANIME_INVALID, "cells");
    expect_error([] { contact_sheet({{cv::Mat(), cv::Mat(4, 4, CV_8UC3), ""}}, 1, 10); }, AIANIME_INVALID, "8-bit");
    expect_error([] { contact_sheet({{cv::Mat(4, 4, CV_8UC3), cv::Mat(4, 4, CV_8UC1), ""}}, 1, 10); }, AIANIME_INVALID, "8-bit");
}

int main() {
    return run_suite("contact_sheet", {source_above_result, columns_and_rows, result_takes_the_shape_of_the_source, mixed_shapes,
                                       labels_are_drawn_and_fit, stacks_of_any_height, sheets_of_float_pictures_are_written,
                                       extreme_sizes, refuses_what_is_no_picture});
}
