// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "media/process.h"

namespace aianime::media {

// What decoding a video gives, as a filter would be sent it.
struct VideoFrames {
    std::vector<int64_t> pts;
    aianime_rational time_base{0, 0};

    size_t count() const { return pts.size(); }
};
// Decodes all of it. Throws Error (NOT_FOUND, BAD_DATA).
VideoFrames decoded_frames(const std::string &ffmpeg, const std::string &video);

// Reads a video's frames one after the other.
class VideoReader {
public:
    // width 0: as they are stored; else they are scaled to it, the shape kept. Throws Error (NOT_FOUND, BAD_DATA).
    VideoReader(const std::string &ffmpeg, const std::string &video, int width);

    // CV_8UC3, R G B; empty behind the last one. Throws Error (BAD_DATA) for a frame that is cut off or has another size.
    cv::Mat next();

private:
    std::string video_;
    ProgramOutput output_;
    cv::Size size_;
};

} // namespace aianime::media
