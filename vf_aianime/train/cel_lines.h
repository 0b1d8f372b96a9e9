// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::train {

// Where a draughtsman would put ink, 0..1 (CV_32FC1): what is darker than its surroundings, followed along the edges' tangents so
// that lines are long and dirt is none. `luma`: CV_32FC1, calm; `fine` (CV_32FC1, 0..1): where lines are to be thin.
cv::Mat ink_lines(const cv::Mat &luma, float scale, const cv::Mat &fine);

} // namespace aianime::train
