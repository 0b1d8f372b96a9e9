// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

#include "train/teacher.h"

namespace aianime::train {

// Soft masks, CV_32FC1 in 0..1. backdrop + cloth + skin = 1 everywhere: what is not skin is free, gray or coloured.
struct Regions {
    cv::Mat skin, backdrop, cloth;
    cv::Mat face; // ovals of the faces that were given
};
// lab: flattened; luma: normalised.
Regions find_regions(const cv::Mat &lab, const std::vector<FaceMark> &faces, float scale);

// 1 within the ovals of the faces, 0 a little outside.
cv::Mat face_mask(cv::Size size, const std::vector<FaceMark> &faces);

// Skin with what lies within it (eyes, lips, glare), CV_32FC1 in 0..1.
cv::Mat skin_mask(const cv::Mat &lab, float scale);

// Small bright spots on dark ground: light in eyes and on hair.
cv::Mat highlights(const cv::Mat &luma, float scale);

} // namespace aianime::train
