// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::train {

// Lab (CV_32FC3, L in 0..100) with texture gone and edges kept. `scale`: 1 for a short side of 384. `detail` (CV_32FC1, 0..1): how
// much of the fine structure stays, for faces.
cv::Mat flatten(const cv::Mat &lab, float scale, const cv::Mat &detail);

// The factor that brings the bright end of the picture (98th percentile of luma) near white; part of the way, so that dark pictures
// stay darker than bright ones.
float brightness_gain(const cv::Mat &luma);

// The picture times the gain. What would go beyond white is held below it with its hue: clipped channels turn skin yellow.
cv::Mat brightened(const cv::Mat &rgb, float gain);

cv::Mat luma_of(const cv::Mat &rgb);

} // namespace aianime::train
