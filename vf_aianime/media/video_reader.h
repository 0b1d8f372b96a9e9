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

// How many chroma samples a frame of 8-bit YUV has.
enum class Chroma { half, full }; // 4:2:0, 4:4:4

// half for videos of 4:2:0, full for all others. Throws Error (NOT_FOUND).
Chroma chroma_of(const std::string &ffmpeg, const std::string &video);

// A frame of 8-bit YUV, its planes behind each other.
struct VideoFrame {
    cv::Mat samples; // CV_8UC1, one row
    cv::Size size;
    Chroma chroma = Chroma::half;

    VideoFrame() = default;
    VideoFrame(cv::Size size, Chroma chroma);
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
    VideoReader(const std::string &ffmpeg, const std::string &video, Chroma chroma);

    cv::Size size() const { return size_; }
    // Empty behind the last one. Throws Error (BAD_DATA) for a frame that is cut off.
    VideoFrame next();

private:
    [[noreturn]] void refuse() const;

    std::string video_;
    Chroma chroma_;
    ProgramOutput output_;
    cv::Size size_;
};

} // namespace aianime::media
