// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// Where an affine map puts each pixel of a picture, CV_32FC2.
cv::Mat affine_places(const cv::Matx23d &map, cv::Size size);

// The affine map that most of `places` (CV_32FC2) with `weight` (CV_32FC1) follow: least squares, reweighted so that pixels that
// move otherwise lose their say. `otherwise` where the weights do not determine one.
cv::Matx23d fit_affine(const cv::Mat &places, const cv::Mat &weight, const cv::Matx23d &otherwise);

} // namespace aianime::vision
