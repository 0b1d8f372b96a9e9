// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// `picture` (CV_32FC3) where `seen` (CV_8UC1) is not 0, elsewhere what lies around, ever smoother with the distance (averages of
// halved pictures, as in "push-pull", Gortler et al., SIGGRAPH 1996). Nothing seen: mid grey.
cv::Mat fill_unseen(const cv::Mat &picture, const cv::Mat &seen);

// Means of `values` (CV_32FC1 to CV_32FC4) over a Gaussian neighbourhood of `sigma` pixels, each value counting by `weight`
// (CV_32FC1, 0 to 1). Where little or nothing counts the mean falls to 0.
cv::Mat spread(const cv::Mat &values, const cv::Mat &weight, double sigma);

} // namespace aianime::vision
