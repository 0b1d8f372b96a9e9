// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/face_masks.h"

#include <algorithm>
#include <cmath>

namespace aianime::pipeline {

namespace {

// Of the ellipse by the box: boxes end at the brows, or little above.
constexpr float half_width = 0.75f, half_height = 0.85f, raise = 0.15f;
constexpr float outside = 0.5f; // of the radius, where the mask falls

} // namespace

cv::Mat face_mask(const cv::Rect2f &box, cv::Size shown, cv::Size cells, int cell) {
    const auto width = static_cast<float>(shown.width), height = static_cast<float>(shown.height);
    const cv::Point2f centre((box.x + box.width / 2) * width, (box.y + box.height * (0.5f - raise)) * height);
    const float across = std::max(half_width * box.width * width, 1.0f), down = std::max(half_height * box.height * height, 1.0f);
    cv::Mat mask(cells, CV_32F);
    for (int y = 0; y < cells.height; y++)
        for (int x = 0; x < cells.width; x++) {
            const float dx = ((static_cast<float>(x) + 0.5f) * static_cast<float>(cell) - centre.x) / across;
            const float dy = ((static_cast<float>(y) + 0.5f) * static_cast<float>(cell) - centre.y) / down;
            const float t = std::clamp((1 + outside - std::hypot(dx, dy)) / outside, 0.0f, 1.0f);
            mask.at<float>(y, x) = t * t * (3 - 2 * t);
        }
    return mask;
}

} // namespace aianime::pipeline
