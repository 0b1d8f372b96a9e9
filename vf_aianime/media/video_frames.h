// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace aianime::media {

// The ffmpeg beside this command, else the one in PATH. Throws Error (NOT_FOUND).
std::string find_ffmpeg();

// Times of a video's frames in seconds from the first one, in the order they are shown; read from the container, nothing is
// decoded. Throws Error (NOT_FOUND, BAD_DATA).
std::vector<double> frame_times(const std::string &ffmpeg, const std::string &video);

// The frames with these numbers (from 0, rising), scaled to a width, the pixels square; CV_8UC3, B G R. Fewer where the video ends
// early. Throws Error (BAD_DATA).
std::vector<cv::Mat> frames_at(const std::string &ffmpeg, const std::string &video, const std::vector<size_t> &numbers, int width);

} // namespace aianime::media
