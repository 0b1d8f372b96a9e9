// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/video_reader.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "io/error.h"
#include "io/text.h"
#include "vision/color.h"

namespace aianime::media {

namespace {

constexpr size_t most_list = size_t{64} << 20;
constexpr int most_side = 1 << 15;

void require_file(const std::string &video) {
    std::error_code ignored;
    if (!std::filesystem::exists(video, ignored))
        throw Error(AIANIME_NOT_FOUND, io::printable(video) + ": no such video");
}

// "file:" keeps a name with a colon or a dash in front from being taken for a protocol or an option.
std::vector<std::string> reading(const std::string &ffmpeg, const std::string &video, const std::string &filter,
                                 const std::vector<std::string> &rest) {
    std::vector<std::string> command = {ffmpeg, "-v",    "error", "-nostdin", "-i",        "file:" + video,
                                        "-map", "0:v:0", "-vf",   filter,     "-fps_mode", "passthrough"};
    command.insert(command.end(), rest.begin(), rest.end());
    return command;
}

std::string pipe_format(const Layout &layout) {
    return std::string(layout.half_chroma ? "yuv420p" : "yuv444p") + (layout.depth > 8 ? "16le" : "");
}

} // namespace

VideoFrames decoded_frames(const std::string &ffmpeg, const std::string &video) {
    require_file(video);
    // Only the times are wanted: the pictures are made as small as they can be.
    const std::string list = output_of(reading(ffmpeg, video, "scale=8:8:flags=neighbor", {"-f", "framecrc", "-"}), most_list);
    VideoFrames frames;
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
        long long pts = 0;
        if (std::sscanf(line.c_str(), "#tb 0: %d/%d", &frames.time_base.num, &frames.time_base.den) == 2)
            continue;
        if (std::sscanf(line.c_str(), "0, %*d, %lld", &pts) == 1)
            frames.pts.push_back(pts);
    }
    if (frames.pts.empty() || frames.time_base.den < 1)
        throw Error(AIANIME_BAD_DATA, io::printable(video) + ": ffmpeg finds no video in it that it can read");
    return frames;
}

Layout layout_of(const std::string &ffmpeg, const std::string &video) {
    require_file(video);
    // What the format of the pipe cannot hold ends without output; more than 8 bits are an extension of it.
    const std::string header =
        output_of(reading(ffmpeg, video, "null", {"-frames:v", "1", "-strict", "-1", "-f", "yuv4mpegpipe", "-"}), 256);
    const std::string line = header.substr(0, header.find('\n')), format = line.substr(std::min(line.find(" C"), line.size()));
    const bool half = format.rfind(" C420", 0) == 0;
    return {half, format.find("p1", 5) == 5 ? 16 : 8};
}

VideoFrame::VideoFrame(cv::Size full, Layout kind) : size(full), layout(kind) {
    const cv::Size part = kind.half_chroma ? cv::Size((full.width + 1) / 2, (full.height + 1) / 2) : full;
    samples.create(1, full.area() + 2 * part.area(), kind.depth > 8 ? CV_16UC1 : CV_8UC1);
}

aianime_frame VideoFrame::view() const {
    const int shift = layout.half_chroma ? 1 : 0, bytes = static_cast<int>(samples.elemSize());
    const cv::Size part((size.width + shift) >> shift, (size.height + shift) >> shift);
    aianime_frame frame{};
    frame.struct_size = sizeof(frame);
    frame.format.model = AIANIME_YUV;
    frame.format.components = 3;
    frame.format.log2_chroma_w = frame.format.log2_chroma_h = shift;
    for (int i = 0; i < 3; i++) {
        frame.format.component[i] = {i, bytes, 0, 0, layout.depth};
        frame.linesize[i] = bytes * (i == 0 ? size.width : part.width);
    }
    frame.width = size.width;
    frame.height = size.height;
    frame.data[0] = samples.data;
    frame.data[1] = frame.data[0] + bytes * size.area();
    frame.data[2] = frame.data[1] + bytes * part.area();
    frame.matrix = 2;
    return frame;
}

cv::Mat VideoFrame::rgb() const { return cv::max(cv::min(vision::to_rgb(view()), 1), 0); }

VideoReader::VideoReader(const std::string &ffmpeg, const std::string &video, Layout layout)
    : video_(video), layout_(layout),
      output_((require_file(video),
               reading(ffmpeg, video, "null", {"-pix_fmt", pipe_format(layout), "-strict", "-1", "-f", "yuv4mpegpipe", "-"}))) {
    char line[256];
    if (!output_.stream() || !std::fgets(line, sizeof line, output_.stream()) ||
        std::sscanf(line, "YUV4MPEG2 W%d H%d", &size_.width, &size_.height) != 2 || size_.width < 1 || size_.height < 1 ||
        size_.width > most_side || size_.height > most_side)
        refuse();
}

void VideoReader::refuse() const {
    throw Error(AIANIME_BAD_DATA, io::printable(video_) + ": ffmpeg finds no video in it that it can read");
}

VideoFrame VideoReader::next() {
    char line[256];
    if (!std::fgets(line, sizeof line, output_.stream()))
        return {};
    VideoFrame frame(size_, layout_);
    const size_t samples = frame.samples.total();
    if (std::string(line).rfind("FRAME", 0) != 0 ||
        std::fread(frame.samples.data, frame.samples.elemSize(), samples, output_.stream()) != samples)
        refuse();
    return frame;
}

} // namespace aianime::media
