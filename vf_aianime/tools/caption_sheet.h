// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "tools/shot_survey.h"

namespace aianime::tools {

// Each shot's key frame with the faces in it and the caption below, `columns` beside each other. CV_8UC3, B G R.
cv::Mat caption_sheet(const std::vector<ShotSurvey> &surveys, int columns, int width);

} // namespace aianime::tools
