// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/face_shape.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aianime::vision {

namespace {

float distance(const cv::Point2f &a, const cv::Point2f &b) { return std::hypot(a.x - b.x, a.y - b.y); }

float ratio(float height, float width) { return width > 0 ? height / width : 0; }

cv::Point2f mean(const FacePoints &points, size_t first, size_t end) {
    return std::accumulate(points.begin() + first, points.begin() + end, cv::Point2f()) * (1.0f / static_cast<float>(end - first));
}

} // namespace

float mouth_openness(const FacePoints &points) {
    const float height = distance(points[61], points[67]) + distance(points[62], points[66]) + distance(points[63], points[65]);
    return ratio(height / 3, distance(points[60], points[64]));
}

bool mouth_open(const FacePoints &points, bool before) { return mouth_openness(points) > (before ? 0.17f : 0.22f); }

cv::Rect2f points_box(const FacePoints &points) {
    cv::Point2f low = points[0], high = points[0];
    for (const cv::Point2f &point : points) {
        low = {std::min(low.x, point.x), std::min(low.y, point.y)};
        high = {std::max(high.x, point.x), std::max(high.y, point.y)};
    }
    const cv::Point2f around = (high - low) * 0.1f;
    return {low - around, high + around};
}

TurnedSquare recognition_square(const FacePoints &points) {
    const cv::Point2f left = mean(points, 36, 42), right = mean(points, 42, 48), mouth = mean(points, 48, 68);
    const float side = std::max((distance(left, mouth) + distance(right, mouth)) / 2 / 0.45f, 1.0f);
    const cv::Point2f down = mouth - (left + right) * 0.5f;
    const float angle = std::atan2(-down.x, down.y);
    // The middle of eyes and mouth lies at 0.43 of the height.
    const float below = 0.07f * side;
    const cv::Point2f offset(-std::sin(angle) * below, std::cos(angle) * below);
    return {(left + right + mouth) * (1.0f / 3) + offset, side, angle};
}

} // namespace aianime::vision
