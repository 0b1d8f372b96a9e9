// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "train/random.h"

namespace aianime::train {

// A stand-in for the photograph that a finished picture was made from, CV_8UC3, R G B, both of them. Thin dark lines are closed,
// hues turned, saturation, tones and light changed at random and grain added: shapes stay where they are, but neither palette nor
// lines can be copied from it, they must be learned.
cv::Mat style_hint(const cv::Mat &picture, Draw &draw);

} // namespace aianime::train
