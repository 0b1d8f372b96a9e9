// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/key_frame.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::vision {

namespace {

cv::Mat small_luma(const cv::Mat &picture) {
    cv::Mat small, gray;
    cv::resize(picture, small, {256, 256}, 0, 0, cv::INTER_AREA);
    cv::cvtColor(small, gray, cv::COLOR_RGB2GRAY);
    return gray;
}

} // namespace

KeyFrameParts key_frame_parts(const cv::Mat &picture, const cv::Mat &before) {
    const cv::Mat gray = small_luma(picture);
    cv::Mat edges;
    cv::Laplacian(gray, edges, CV_32F);
    cv::Scalar mean, deviation;
    cv::meanStdDev(edges, mean, deviation);
    const double level = std::clamp(cv::mean(gray)[0], 0.0, 1.0);
    KeyFrameParts parts{deviation[0] * deviation[0], std::min(1.0, 4 * std::min(level, 1 - level)), 1, 1};
    if (!before.empty())
        parts.stillness = 1 / (1 + cv::norm(gray, small_luma(before), cv::NORM_L1) / static_cast<double>(gray.total()) / 0.02);
    return parts;
}

double key_face(const cv::Rect2f &box, double score, double frontal, bool eyes_open) {
    const cv::Point2f centre = (box.tl() + box.br()) / 2;
    const double away = std::hypot(centre.x - 0.5, centre.y - 0.5) / std::sqrt(0.5);
    return score * frontal * std::min(1.0, 2.0 * box.height) * (eyes_open ? 1 : 0.3) * (1 - 0.5 * std::min(away, 1.0));
}

} // namespace aianime::vision
