// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::pipeline {

// Where a face and its hair are: an ellipse around the box, 1 inside, falling smoothly to 0 half as far outside again.
// box: in shares of the shown picture. shown: pixels of that; it is the top left part of the padded picture, whose latents, or any
// other grid, have `cells`, of `cell` pixels each. CV_32FC1 in [0, 1].
cv::Mat face_mask(const cv::Rect2f &box, cv::Size shown, cv::Size cells, int cell);

} // namespace aianime::pipeline
