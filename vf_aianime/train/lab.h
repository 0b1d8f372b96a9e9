// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

namespace aianime::train {

// CV_32FC3 of sRGB in [0, 1] -> CV_32FC3 of CIE L*, a*, b* (D65, 2 degrees).
cv::Mat to_lab(const cv::Mat &rgb);

// Colour differences of two L*a*b* colours.
double delta_e76(const cv::Vec3d &a, const cv::Vec3d &b);   // CIE 1976: the distance
double delta_e2000(const cv::Vec3d &a, const cv::Vec3d &b); // CIEDE2000 (Sharma, Wu, Dalal 2005)

// The mean colour of a L*a*b* picture; weights: CV_32FC1 or CV_8UC1, empty for 1 everywhere; (0, 0, 0) where they are all 0.
cv::Vec3d mean_lab(const cv::Mat &lab, const cv::Mat &weights = {});

// How far apart colours are: the mean of delta_e76 over all pairs; 0 for fewer than two.
double color_spread(const std::vector<cv::Vec3d> &colors);

} // namespace aianime::train
