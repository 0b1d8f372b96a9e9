// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"

#include <opencv2/imgproc.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "io/file.h"
#include "train/loss_curve.h"
#include "vision/png.h"

using namespace aianime;
using namespace aianime::train;

namespace {

std::vector<LossPoint> falling(int64_t count) {
    std::vector<LossPoint> points;
    for (int64_t i = 0; i < count; i++) {
        const double wobble = static_cast<double>(i * 7919 % 101) / 101 - 0.5;
        points.push_back({i, (2 * std::exp(-4.0 * static_cast<double>(i) / static_cast<double>(count)) + 0.05) * (1 + 0.4 * wobble),
                          1e-4 / (1.0 + static_cast<double>(i))});
    }
    return points;
}

// The pixels of the median's line: the only strong red there is.
cv::Mat line_mask(const cv::Mat &sheet) {
    cv::Mat mask;
    cv::inRange(sheet, cv::Scalar(0.7, 0, 0), cv::Scalar(0.85, 0.5, 0.4), mask);
    return mask;
}

cv::Mat drawn(const std::vector<LossPoint> &points) {
    const TempFolder folder;
    draw_losses(folder.path("loss.png"), "unet", points);
    const char *kept = std::getenv("AIANIME_KEEP_PICTURES");
    if (kept)
        draw_losses(std::string(kept) + "/loss-" + std::to_string(points.size()) + ".png", "unet", points);
    return vision::load_png(folder.path("loss.png"));
}

// Rows of the line near both of its ends.
std::pair<double, double> ends(const cv::Mat &mask) {
    const cv::Rect box = cv::boundingRect(mask);
    const auto row = [&](int x) {
        const cv::Rect column = cv::boundingRect(mask.colRange(x, x + 3));
        return column.y + column.height / 2.0;
    };
    return {row(box.x + 2), row(box.x + box.width - 6)};
}

} // namespace

AIANIME_TEST(what_was_written_is_read) {
    const TempFolder folder;
    const std::string path = folder.path("unet.loss.csv");
    std::vector<LossPoint> points = falling(50);
    points[7].loss = std::numeric_limits<double>::quiet_NaN();
    points[8].loss = 1e-30;
    write_losses(path, points);
    const std::string text = io::read_file(path, 1 << 20);
    ck_assert_int_eq(text.rfind("step,loss,rate\n0,", 0), 0);
    const std::vector<LossPoint> read = read_losses(path, 1000);
    ck_assert_uint_eq(read.size(), points.size());
    ck_assert(std::isnan(read[7].loss));
    for (size_t i = 8; i < points.size(); i++) {
        ck_assert_int_eq(read[i].step, points[i].step);
        ck_assert_double_eq_tol(read[i].loss, points[i].loss, 1e-8 * points[i].loss);
        ck_assert_double_eq_tol(read[i].rate, points[i].rate, 1e-8 * points[i].rate);
    }
    // Resumed and not resumed runs write the same bytes.
    write_losses(path, read);
    ck_assert(io::read_file(path, 1 << 20) == text);
}

AIANIME_TEST(only_steps_before_the_state_are_read) {
    const TempFolder folder;
    const std::string path = folder.path("unet.loss.csv");
    ck_assert(read_losses(path, 10).empty());
    write_losses(path, falling(20));
    ck_assert_uint_eq(read_losses(path, 13).size(), 13);
    ck_assert_uint_eq(read_losses(path, 0).size(), 0);
    write_losses(path, {});
    ck_assert(read_losses(path, 10).empty());
}

AIANIME_TEST(damaged_files_are_refused) {
    const TempFolder folder;
    const std::string path = folder.path("unet.loss.csv");
    write_file(path, "");
    expect_error([&] { read_losses(path, 10); }, AIANIME_BAD_DATA, "line 1");
    write_file(path, "step,loss,rate\n0,1.5,0.1\n1,1.2,0.");
    expect_error([&] { read_losses(path, 10); }, AIANIME_BAD_DATA, "line 3"); // cut short
    for (const char *line : {"0,1.5\n", "a,1.5,0.1\n", "0,1.5,0.1,3\n", "0,,0.1\n", "\n", "0,1,5,0.1\n"}) {
        write_file(path, std::string("step,loss,rate\n") + line);
        expect_error([&] { read_losses(path, 10); }, AIANIME_BAD_DATA, "line 2");
    }
    expect_error([&] { write_losses(folder.path("no/folder.csv"), falling(2)); }, AIANIME_NOT_FOUND, "no/folder.csv");
    expect_error([&] { draw_losses(folder.path("no/folder.png"), "unet", falling(2)); }, AIANIME_NOT_FOUND, "no/folder.png");
}

AIANIME_TEST(a_falling_loss_falls_on_the_picture) {
    for (const int64_t count : {40, 3000}) {
        const cv::Mat sheet = drawn(falling(count)), mask = line_mask(sheet);
        const cv::Rect box = cv::boundingRect(mask);
        ck_assert_int_gt(box.width, sheet.cols * 3 / 4);
        const auto [first, last] = ends(mask);
        ck_assert_double_gt(last, first + sheet.rows / 2.0);
    }
}

// 2 down to 0.05 in a straight line of logarithms: the middle of the curve lies in the middle of the picture.
AIANIME_TEST(wide_ranges_are_drawn_with_logarithms) {
    std::vector<LossPoint> wide, narrow;
    for (int64_t i = 0; i < 200; i++) {
        wide.push_back({i, 2 * std::pow(0.025, static_cast<double>(i) / 199), 1e-4});
        narrow.push_back({i, 2 - 1.5 * std::pow(static_cast<double>(i) / 199, 2), 1e-4});
    }
    const auto middle_share = [](const cv::Mat &mask) {
        const auto [first, last] = ends(mask);
        const cv::Rect box = cv::boundingRect(mask),
                       centre = cv::boundingRect(mask.colRange(box.x + box.width / 2 - 1, box.x + box.width / 2 + 1));
        return (centre.y + centre.height / 2.0 - first) / (last - first);
    };
    ck_assert_double_eq_tol(middle_share(line_mask(drawn(wide))), 0.5, 0.03);
    ck_assert_double_eq_tol(middle_share(line_mask(drawn(narrow))), 0.25, 0.03);
}

// One wild step in many neither bends the line nor presses it flat.
AIANIME_TEST(one_wild_step_changes_little) {
    std::vector<LossPoint> points = falling(400);
    points[200].loss = 1e9;
    points[201].loss = std::numeric_limits<double>::infinity();
    const auto [first, last] = ends(line_mask(drawn(points)));
    ck_assert_double_gt(last, first + 270);
}

AIANIME_TEST(few_and_odd_points) {
    for (const std::vector<LossPoint> &points : {std::vector<LossPoint>(),
                                                 {{0, 1, 0}},
                                                 {{5, 0, 0}},
                                                 {{0, 0, 0}, {1, 0, 0}},
                                                 {{0, -1, 0}, {1, 2, 0}, {1, 2, 0}},
                                                 {{0, std::nan(""), 0}},
                                                 {{1000000, 1e-300, 0}, {1000001, 1e300, 0}}})
        ck_assert(drawn(points).cols > 100);
}

int main() {
    return run_suite("loss_curve", {what_was_written_is_read, only_steps_before_the_state_are_read, damaged_files_are_refused,
                                    a_falling_loss_falls_on_the_picture, wide_ranges_are_drawn_with_logarithms,
                                    one_wild_step_changes_little, few_and_odd_points});
}
