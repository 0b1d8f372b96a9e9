// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::train {

// Soft masks, CV_32FC1 in 0..1, of Lab pictures (CV_32FC3) that are not flattened.

// Large, smooth and blue or very bright regions.
cv::Mat sky_mask(const cv::Mat &lab, float scale);
// Green and full of small things in all directions.
cv::Mat foliage_mask(const cv::Mat &lab, float scale);

// The sky as one gradient, its colours not mixed with what stands before it; leaves as two soft tones. `lab`: flattened.
cv::Mat with_nature(const cv::Mat &lab, const cv::Mat &sky, const cv::Mat &foliage, float scale);

} // namespace aianime::train
