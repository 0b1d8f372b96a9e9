// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace aianime::train {

inline float soft_step(float x, float low, float high) {
    const float t = std::clamp((x - low) / (high - low), 0.f, 1.f);
    return t * t * (3 - 2 * t);
}

inline cv::Mat blurred(const cv::Mat &picture, float sigma) {
    cv::Mat out;
    cv::GaussianBlur(picture, out, cv::Size(), sigma, sigma, cv::BORDER_REFLECT_101);
    return out;
}

} // namespace aianime::train
