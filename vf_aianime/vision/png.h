// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>

namespace aianime::vision {

// A PNG of at most 8192x8192 as CV_32FC3, R, G, B in [0, 1]; what is transparent shows white. Throws Error (NOT_FOUND, BAD_DATA,
// IO).
cv::Mat load_png(const std::string &path);

// Writes CV_8UC3, R, G, B; the file appears under its name only when it is whole. Throws Error (NOT_FOUND, FORBIDDEN, IO).
void save_png(const std::string &path, const cv::Mat &picture);

} // namespace aianime::vision
