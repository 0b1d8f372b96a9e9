// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/video_reader.h"

#include <filesystem>
#include <sstream>

#include "io/error.h"
#include "io/text.h"

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

VideoReader::VideoReader(const std::string &ffmpeg, const std::string &video, int width)
    : video_(video), output_((require_file(video),
                              reading(ffmpeg, video, width == 0 ? "null" : "scale=w=" + std::to_string(width) + ":h=-1:flags=area",
                                      {"-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "-"}))) {}

cv::Mat VideoReader::next() {
    std::FILE *stream = output_.stream();
    int width = 0, height = 0;
    const int found = stream ? std::fscanf(stream, "P6 %d %d 255", &width, &height) : EOF;
    if (found == EOF)
        return {};
    const cv::Size size(width, height);
    if (found != 2 || std::getc(stream) == EOF || width < 1 || height < 1 || width > most_side || height > most_side ||
        (!size_.empty() && size != size_))
        throw Error(AIANIME_BAD_DATA, io::printable(video_) + ": its frames are not all of one size");
    size_ = size;
    cv::Mat picture(size, CV_8UC3);
    if (std::fread(picture.data, 3, picture.total(), stream) != picture.total())
        throw Error(AIANIME_BAD_DATA, io::printable(video_) + ": a frame is cut off");
    return picture;
}

} // namespace aianime::media
