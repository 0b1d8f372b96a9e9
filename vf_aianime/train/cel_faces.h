// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

#include "train/teacher.h"

namespace aianime::train {

// What is drawn with more care in faces. Faces and eyes of a few pixels are left as they are.

// 1 about the eyes, 0 a little outside (CV_32FC1).
cv::Mat eye_mask(cv::Size size, const std::vector<FaceMark> &faces);

// Eyes with the contrast of the source, lips with a soft tint, the lightest band of dark hair one step lighter. `lab`: flattened,
// `source`: not flattened (CV_32FC3); `skin`: CV_32FC1.
cv::Mat with_faces(const cv::Mat &lab, const cv::Mat &source, const std::vector<FaceMark> &faces, const cv::Mat &skin);

// Darker and thicker lines about the eyes, as wide as the eyes allow.
cv::Mat with_lashes(const cv::Mat &lines, const std::vector<FaceMark> &faces);

// One light for each open eye: where the source has one, else at the upper part of the iris (CV_32FC1, 0..1).
cv::Mat eye_lights(const cv::Mat &luma, const std::vector<FaceMark> &faces);

} // namespace aianime::train
