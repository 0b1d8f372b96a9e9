// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <cstdint>
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

// How frames of YUV are held.
struct Layout {
    bool half_chroma = true; // 4:2:0, else 4:4:4
    int depth = 8;           // bits a sample, 8 or 16
    bool operator==(const Layout &other) const { return half_chroma == other.half_chroma && depth == other.depth; }
};

// 4:2:0 for videos of that, 4:4:4 for all others; 16 bits for YUV of more than 8. Throws Error (NOT_FOUND).
Layout layout_of(const std::string &ffmpeg, const std::string &video);

// A frame of YUV, its planes behind each other.
struct VideoFrame {
    cv::Mat samples; // CV_8UC1 or CV_16UC1, one row
    cv::Size size;
    Layout layout;

    VideoFrame() = default;
    VideoFrame(cv::Size size, Layout layout);
    bool empty() const { return samples.empty(); }
    // The planes stay this frame's.
    aianime_frame view() const;
    // CV_32FC3, R G B in [0, 1].
    cv::Mat rgb() const;
};

// Reads a video's frames one after the other.
class VideoReader {
public:
    // Throws Error (NOT_FOUND, BAD_DATA).
    VideoReader(const std::string &ffmpeg, const std::string &video, Layout layout);

    cv::Size size() const { return size_; }
    // Empty behind the last one. Throws Error (BAD_DATA) for a frame that is cut off.
    VideoFrame next();

private:
    [[noreturn]] void refuse() const;

    std::string video_;
    Layout layout_;
    ProgramOutput output_;
    cv::Size size_;
};

} // namespace aianime::media
