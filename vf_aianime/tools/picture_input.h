// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>

namespace aianime::tools {

// By its ending: PNG, JPEG or WebP; everything else is taken for a video.
bool is_picture(const std::string &path);

// What media::read_picture() gives as CV_8UC3, R G B.
cv::Mat rgb_of(const cv::Mat &stored);

} // namespace aianime::tools
