// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/video_reader.h"

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

Chroma chroma_of(const std::string &ffmpeg, const std::string &video) {
    require_file(video);
    // What the format of the pipe cannot hold ends without output.
    const std::string header = output_of(reading(ffmpeg, video, "null", {"-frames:v", "1", "-f", "yuv4mpegpipe", "-"}), 256);
    return header.substr(0, header.find('\n')).find(" C420") != std::string::npos ? Chroma::half : Chroma::full;
}

VideoFrame::VideoFrame(cv::Size full, Chroma kind) : size(full), chroma(kind) {
    const cv::Size part = kind == Chroma::half ? cv::Size((full.width + 1) / 2, (full.height + 1) / 2) : full;
    samples.create(1, full.area() + 2 * part.area(), CV_8UC1);
}

aianime_frame VideoFrame::view() const {
    const int shift = chroma == Chroma::half ? 1 : 0;
    const cv::Size part((size.width + shift) >> shift, (size.height + shift) >> shift);
    aianime_frame frame{};
    frame.struct_size = sizeof(frame);
    frame.format.model = AIANIME_YUV;
    frame.format.components = 3;
    frame.format.log2_chroma_w = frame.format.log2_chroma_h = shift;
    for (int i = 0; i < 3; i++) {
        frame.format.component[i] = {i, 1, 0, 0, 8};
        frame.linesize[i] = i == 0 ? size.width : part.width;
    }
    frame.width = size.width;
    frame.height = size.height;
    frame.data[0] = samples.data;
    frame.data[1] = frame.data[0] + size.area();
    frame.data[2] = frame.data[1] + part.area();
    frame.matrix = 2;
    return frame;
}

cv::Mat VideoFrame::rgb() const { return cv::max(cv::min(vision::to_rgb(view()), 1), 0); }

VideoReader::VideoReader(const std::string &ffmpeg, const std::string &video, Chroma chroma)
    : video_(video), chroma_(chroma),
      output_(
          (require_file(video), reading(ffmpeg, video, "null",
                                        {"-pix_fmt", chroma == Chroma::half ? "yuv420p" : "yuv444p", "-f", "yuv4mpegpipe", "-"}))) {
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
    VideoFrame frame(size_, chroma_);
    if (std::string(line).rfind("FRAME", 0) != 0 ||
        std::fread(frame.samples.data, 1, frame.samples.total(), output_.stream()) != frame.samples.total())
        refuse();
    return frame;
}

} // namespace aianime::media
