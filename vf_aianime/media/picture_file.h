// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>

#include "include/aianime.h"

namespace aianime::media {

// Reads a picture as it is stored: 8 or 16 bits, 1, 3 (B G R) or 4 (B G R A) channels; turned upright when the file says how it was
// held. Throws Error (NOT_FOUND, BAD_DATA).
cv::Mat read_picture(const std::string &path);

// Writes in the format of the path's extension, which must take the picture's depth. Throws Error (INVALID, IO).
void write_picture(const std::string &path, const cv::Mat &picture);

// A frame whose planes are the picture's rows.
aianime_frame frame_of(cv::Mat &picture);

} // namespace aianime::media
