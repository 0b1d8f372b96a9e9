// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/pose.h"

#include "vision/pose_limbs.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::vision {
namespace {

constexpr double trained_height = 368, search_scale = 0.5;
constexpr double most_pixels = 1 << 20; // of the network's picture: very wide frames are seen smaller
constexpr int stride = 8;

cv::Mat resized(const cv::Mat &picture, cv::Size size) {
    const bool smaller = size.width + size.height < picture.cols + picture.rows;
    cv::Mat out;
    cv::resize(picture, out, size, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LANCZOS4);
    return out;
}

int padding(int side) { return (stride - side % stride) % stride; }

} // namespace

PoseInput pose_input(const cv::Mat &frame) {
    const double scale = std::min(search_scale * trained_height / frame.rows, std::sqrt(most_pixels / frame.total()));
    // Cut, not rounded, as in training; a frame of one column still has one.
    const cv::Size size(std::max(1, static_cast<int>(frame.cols * scale)), std::max(1, static_cast<int>(frame.rows * scale)));
    cv::Mat bgr, padded;
    cv::cvtColor(resized(frame, size), bgr, cv::COLOR_RGB2BGR);
    cv::copyMakeBorder(bgr, padded, 0, padding(size.height), 0, padding(size.width), cv::BORDER_CONSTANT,
                       cv::Scalar::all(128.0 / 255));
    padded.convertTo(padded, CV_32F, 255.0 / 256, -0.5);
    return {padded, size};
}

std::vector<cv::Mat> pose_channels(const std::vector<cv::Mat> &channels, const PoseInput &input, cv::Size frame) {
    std::vector<cv::Mat> out;
    for (const cv::Mat &channel : channels) {
        const cv::Mat whole = resized(channel, input.picture.size());
        out.push_back(resized(whole(cv::Rect(cv::Point(0, 0), input.scaled)), frame));
    }
    return out;
}

cv::Mat draw_people(const std::vector<Person> &people, cv::Size size) {
    static constexpr unsigned char colors[pose_joints][3] = {
        {255, 0, 0}, {255, 85, 0}, {255, 170, 0}, {255, 255, 0}, {170, 255, 0}, {85, 255, 0},
        {0, 255, 0}, {0, 255, 85}, {0, 255, 170}, {0, 255, 255}, {0, 170, 255}, {0, 85, 255},
        {0, 0, 255}, {85, 0, 255}, {170, 0, 255}, {255, 0, 255}, {255, 0, 170}, {255, 0, 85}};
    constexpr int radius = 4;
    cv::Mat canvas(size, CV_8UC3, cv::Scalar::all(0)), out;
    for (const Person &person : people) {
        for (size_t i = 0; i < drawn_limbs; i++) {
            const auto &from = person.joints[static_cast<size_t>(limbs[i].from)],
                       &to = person.joints[static_cast<size_t>(limbs[i].to)];
            if (!from || !to)
                continue;
            const cv::Point across = *from - *to;
            const int half_length = static_cast<int>(std::hypot(across.x, across.y) / 2);
            const int angle = static_cast<int>(std::atan2(across.y, across.x) * 180 / CV_PI);
            std::vector<cv::Point> outline;
            cv::ellipse2Poly((*from + *to) / 2, cv::Size(half_length, radius), angle, 0, 360, 1, outline);
            cv::fillConvexPoly(canvas, outline, cv::Scalar(colors[i][0] * 6 / 10, colors[i][1] * 6 / 10, colors[i][2] * 6 / 10));
        }
        for (size_t i = 0; i < person.joints.size(); i++)
            if (person.joints[i])
                cv::circle(canvas, *person.joints[i], radius, cv::Scalar(colors[i][0], colors[i][1], colors[i][2]), cv::FILLED);
    }
    canvas.convertTo(out, CV_32F, 1.0 / 255);
    return out;
}

} // namespace aianime::vision
