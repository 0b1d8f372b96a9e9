// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/flow_picture.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace aianime::vision {

namespace {

// From red over yellow, green, cyan, blue and magenta back to red; the eye tells some of the way more finely than the rest.
std::vector<cv::Vec3f> make_wheel() {
    struct Arc {
        int steps;
        int full, moving; // channels
        bool rising;
    };
    constexpr Arc arcs[] = {{15, 0, 1, true},  {6, 1, 0, false}, {4, 1, 2, true},
                            {11, 2, 1, false}, {13, 2, 0, true}, {6, 0, 2, false}};
    std::vector<cv::Vec3f> wheel;
    for (const Arc &arc : arcs)
        for (int i = 0; i < arc.steps; i++) {
            const float part = std::floor(255.0F * static_cast<float>(i) / static_cast<float>(arc.steps));
            cv::Vec3f color(0, 0, 0);
            color[arc.full] = 1;
            color[arc.moving] = (arc.rising ? part : 255 - part) / 255;
            wheel.push_back(color);
        }
    return wheel;
}

float longest(const cv::Mat &flow) {
    float most = 0;
    for (int y = 0; y < flow.rows; y++)
        for (int x = 0; x < flow.cols; x++) {
            const cv::Vec2f &vector = flow.at<cv::Vec2f>(y, x);
            most = std::max(most, std::hypot(vector[0], vector[1]));
        }
    return most;
}

cv::Vec3f color_of(const cv::Vec2f &vector, const std::vector<cv::Vec3f> &wheel) {
    constexpr float pi = 3.14159265358979F;
    const float place = (std::atan2(-vector[1], -vector[0]) / pi + 1) / 2 * static_cast<float>(wheel.size() - 1);
    const size_t before = std::min(static_cast<size_t>(std::max(place, 0.0F)), wheel.size() - 1),
                 after = (before + 1) % wheel.size();
    const float part = place - static_cast<float>(before), length = std::hypot(vector[0], vector[1]);
    cv::Vec3f color;
    for (int c = 0; c < 3; c++) {
        const float pure = (1 - part) * wheel[before][c] + part * wheel[after][c];
        color[c] = std::floor(255 * (1 - length * (1 - pure))) / 255;
    }
    return color;
}

} // namespace

cv::Mat flow_picture(const cv::Mat &flow) {
    const std::vector<cv::Vec3f> wheel = make_wheel();
    const float scale = 1 / (longest(flow) + 1.1920929e-7F);
    cv::Mat picture(flow.size(), CV_32FC3);
    for (int y = 0; y < flow.rows; y++)
        for (int x = 0; x < flow.cols; x++)
            picture.at<cv::Vec3f>(y, x) = color_of(flow.at<cv::Vec2f>(y, x) * scale, wheel);
    return picture;
}

} // namespace aianime::vision
