// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "vision/eye_weights.h"
#include "vision/face_shape.h"

namespace aianime::vision {

// The picture around an eye: its corners are 30 pixels apart and level.
constexpr int eye_patch_width = 48, eye_patch_height = 32;

// Brightness, CV_32FC1 from 0 to 255. rgb: CV_8UC3, or CV_32FC3 in [0, 1]; the corners in its pixels, as they
// lie in it. mirrored: flipped, so that the picture's right eye looks like its left one. Beyond the picture its border goes on.
cv::Mat eye_patch(const cv::Mat &rgb, const cv::Point2f &left, const cv::Point2f &right, bool mirrored);

// Histograms of gradients (Dalal and Triggs 2005) of a patch: the directions of each cell, cells in rows; roots of shares.
std::array<float, eye_features> eye_histograms(const cv::Mat &patch);

// How much the picture says that the eyes are open: logarithm of the odds, in [-3, 3], negative for closed ones; near 0 for eyes of
// few pixels. The mean of both eyes, or the nearer one's where the head is turned so far that one is less than half as wide. Fitted
// to drawn eyes, see scripts/make_eye_weights.py. Thread safety: pure.
float eyes_evidence(const cv::Mat &rgb, const FacePoints &points);

// With hysteresis: what was so stays until it is clearly otherwise.
bool eyes_open(float evidence, bool before = true);

} // namespace aianime::vision
