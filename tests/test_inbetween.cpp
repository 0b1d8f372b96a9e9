// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"
#include "vision_pictures.h"

#include "vision/flow.h"
#include "vision/inbetween.h"

using namespace aianime::vision;

namespace {

const cv::Size size(320, 180);

// A disc that crosses a background while the camera pans; `time` counts frames.
cv::Mat frame_at(double time) {
    static const cv::Mat wide = scene_picture({size.width + 120, size.height}, 21), cover = scene_picture({120, 120}, 47);
    cv::Mat frame = wide(cv::Rect(20 + static_cast<int>(time * 4), 0, size.width, size.height)).clone();
    cv::Mat mask(120, 120, CV_8UC1, cv::Scalar(0));
    cv::circle(mask, cv::Point(60, 60), 45, cv::Scalar(255), cv::FILLED);
    cover.copyTo(frame(cv::Rect(40 + static_cast<int>(time * 10), 30, 120, 120)), mask);
    return frame;
}

// A look of our own: few tones, other colours, darker edges.
cv::Mat stylize(const cv::Mat &picture) {
    cv::Mat smooth, gray, edges, out(picture.size(), CV_32FC3);
    cv::GaussianBlur(picture, smooth, cv::Size(), 1.5);
    cv::cvtColor(smooth, gray, cv::COLOR_RGB2GRAY);
    cv::Laplacian(gray, edges, CV_32F, 3);
    for (int y = 0; y < picture.rows; y++)
        for (int x = 0; x < picture.cols; x++) {
            const cv::Vec3f &from = smooth.at<cv::Vec3f>(y, x);
            const float line = 1 - std::min(0.6f, 4 * std::abs(edges.at<float>(y, x)));
            out.at<cv::Vec3f>(y, x) = cv::Vec3f(from[1], from[2], from[0]) * line;
        }
    return out;
}

StylizedNeighbour neighbour_at(double time) {
    const cv::Mat frame = frame_at(time);
    return {luma(frame), frame, stylize(frame)};
}

double difference(const cv::Mat &a, const cv::Mat &b) { return cv::norm(a, b, cv::NORM_INF); }

} // namespace

AIANIME_TEST(follows_the_motion) {
    const StylizedNeighbour before = neighbour_at(0), after = neighbour_at(3);
    for (const int time : {1, 2}) {
        const double position = time / 3.0;
        const cv::Mat truth = stylize(frame_at(time));
        const cv::Mat filled = inbetween(frame_at(time), &before, &after, position);
        const cv::Mat blend = before.stylized * (1 - position) + after.stylized * position;
        ck_assert(filled.type() == CV_32FC3 && filled.size() == size);
        ck_assert_msg(psnr(filled, truth) > psnr(blend, truth) + 8, "position %.2f: carried %.1f dB, blend %.1f dB", position,
                      psnr(filled, truth), psnr(blend, truth));
    }
}

// What the disc hides in one neighbour comes from the other.
AIANIME_TEST(hidden_places_come_from_the_other_side) {
    const StylizedNeighbour before = neighbour_at(0), after = neighbour_at(3);
    const cv::Mat truth = stylize(frame_at(1)), source = frame_at(1);
    const cv::Mat both = inbetween(source, &before, &after, 1 / 3.0), only = inbetween(source, &before, nullptr, 1 / 3.0);
    const cv::Rect uncovered(52, 60, 14, 60); // just left of the disc: under it in `before`
    ck_assert_msg(psnr(both(uncovered), truth(uncovered)) > psnr(only(uncovered), truth(uncovered)) + 2,
                  "both %.1f dB, one %.1f dB", psnr(both(uncovered), truth(uncovered)), psnr(only(uncovered), truth(uncovered)));
}

// Where nothing moves the two looks cross over in time.
AIANIME_TEST(still_pictures_cross_over) {
    const cv::Mat source = frame_at(0);
    const StylizedNeighbour red = {luma(source), source, cv::Mat(size, CV_32FC3, cv::Scalar(1, 0, 0))};
    const StylizedNeighbour blue = {luma(source), source, cv::Mat(size, CV_32FC3, cv::Scalar(0, 0, 1))};
    for (const double position : {0.0, 0.25, 0.5, 1.0}) {
        const cv::Mat out = inbetween(source, &red, &blue, position);
        ck_assert_double_lt(difference(out, cv::Mat(size, CV_32FC3, cv::Scalar(1 - position, 0, position))), 0.01);
    }
}

AIANIME_TEST(where_neither_fits_the_nearer_one_shows) {
    const cv::Mat white(size, CV_32FC3, cv::Scalar::all(1)), black(size, CV_32FC3, cv::Scalar::all(0));
    const StylizedNeighbour red = {luma(white), white, cv::Mat(size, CV_32FC3, cv::Scalar(1, 0, 0))};
    const StylizedNeighbour blue = {luma(white), white, cv::Mat(size, CV_32FC3, cv::Scalar(0, 0, 1))};
    ck_assert_double_gt(cv::mean(inbetween(black, &red, &blue, 0.3))[0], 0.95);
    ck_assert_double_gt(cv::mean(inbetween(black, &red, &blue, 0.7))[2], 0.95);
}

AIANIME_TEST(one_neighbour) {
    const StylizedNeighbour before = neighbour_at(0);
    const cv::Mat truth = stylize(frame_at(1));
    const cv::Mat forward = inbetween(frame_at(1), &before, nullptr, 0.5), backward = inbetween(frame_at(1), nullptr, &before, 0.5);
    ck_assert_double_eq(difference(forward, backward), 0);
    ck_assert_double_gt(psnr(forward, truth), psnr(before.stylized, truth) + 4);
}

AIANIME_TEST(same_input_same_output) {
    const StylizedNeighbour before = neighbour_at(0), after = neighbour_at(2);
    const cv::Mat first = inbetween(frame_at(1), &before, &after, 0.5);
    ck_assert_double_eq(difference(first, inbetween(frame_at(1), &before, &after, 0.5)), 0);
}

AIANIME_TEST(any_size) {
    for (const cv::Size tiny : {cv::Size(1, 1), cv::Size(8, 8), cv::Size(17, 16), cv::Size(31, 64), cv::Size(200, 2)}) {
        const cv::Mat a = scene_picture(tiny, 1), b = scene_picture(tiny, 2);
        const StylizedNeighbour before = {luma(a), a, a}, after = {luma(b), b, b};
        const cv::Mat out = inbetween(a, &before, &after, 0.4);
        ck_assert(out.size() == tiny && cv::checkRange(out));
    }
}

AIANIME_TEST(refuses_what_does_not_fit) {
    const cv::Mat source = frame_at(0);
    StylizedNeighbour other = neighbour_at(0);
    expect_error([&] { inbetween(source, nullptr, nullptr, 0.5); }, AIANIME_INTERNAL, "neighbour");
    expect_error([&] { inbetween(luma(source), &other, nullptr, 0.5); }, AIANIME_INTERNAL, "picture");
    other.stylized = cv::Mat(10, 10, CV_32FC3);
    expect_error([&] { inbetween(source, &other, nullptr, 0.5); }, AIANIME_INTERNAL, "size");
}

int main() {
    return run_suite("inbetween", {follows_the_motion, hidden_places_come_from_the_other_side, still_pictures_cross_over,
                                   where_neither_fits_the_nearer_one_shows, one_neighbour, same_input_same_output, any_size,
                                   refuses_what_does_not_fit});
}
