// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/video_frames.h"

#include <opencv2/imgproc.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "media/process.h"

namespace aianime::media {

namespace fs = std::filesystem;

namespace {

constexpr size_t most_list = size_t{64} << 20;
constexpr size_t most_pictures = size_t{1} << 30;

using Command = std::vector<std::string>;

// "file:" keeps a name with a colon or a dash in front from being taken for a protocol or an option.
Command reading(const std::string &ffmpeg, const std::string &video) {
    return {ffmpeg, "-v", "error", "-nostdin", "-i", "file:" + video, "-map", "0:v:0"};
}

std::string output_of_reading(Command command, const Command &rest, size_t most, const std::string &video) {
    command.insert(command.end(), rest.begin(), rest.end());
    const std::string output = output_of(command, most);
    if (output.empty())
        throw Error(AIANIME_BAD_DATA, io::printable(video) + ": ffmpeg finds no video in it that it can read");
    return output;
}

// One picture of a stream of binary PPM files; moves `at` behind it. Empty when the stream has no whole picture there.
cv::Mat next_picture(const std::string &stream, size_t &at) {
    int width = 0, height = 0, header = 0;
    if (at >= stream.size() || std::sscanf(stream.c_str() + at, "P6 %d %d 255%n", &width, &height, &header) != 2 || header == 0 ||
        width < 1 || height < 1)
        return {};
    const size_t pixels = at + static_cast<size_t>(header) + 1, bytes = size_t{3} * static_cast<size_t>(width) * height;
    if (pixels + bytes > stream.size())
        return {};
    const cv::Mat stored(height, width, CV_8UC3, const_cast<char *>(stream.data()) + pixels);
    at = pixels + bytes;
    cv::Mat picture;
    cv::cvtColor(stored, picture, cv::COLOR_RGB2BGR);
    return picture;
}

} // namespace

std::string find_ffmpeg() {
    const std::string beside = (fs::path(io::library_folder()) / "ffmpeg").string();
    if (access(beside.c_str(), X_OK) == 0)
        return beside;
    const std::string found = find_program("ffmpeg");
    if (found.empty())
        throw Error(AIANIME_NOT_FOUND,
                    "no ffmpeg beside this command or in PATH: make ffmpeg (in the source tree), or install one");
    return found;
}

std::vector<double> frame_times(const std::string &ffmpeg, const std::string &video) {
    std::error_code ignored;
    if (!fs::exists(video, ignored))
        throw Error(AIANIME_NOT_FOUND, io::printable(video) + ": no such video");
    const std::string list =
        output_of_reading(reading(ffmpeg, video), {"-c", "copy", "-copyts", "-f", "framecrc", "-"}, most_list, video);
    std::vector<double> times;
    double unit = 0;
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
        int numerator, denominator;
        long long pts;
        if (std::sscanf(line.c_str(), "#tb 0: %d/%d", &numerator, &denominator) == 2 && denominator > 0)
            unit = static_cast<double>(numerator) / denominator;
        else if (std::sscanf(line.c_str(), "0, %*d, %lld", &pts) == 1)
            times.push_back(static_cast<double>(pts) * unit);
    }
    if (times.empty())
        throw Error(AIANIME_BAD_DATA, io::printable(video) + ": ffmpeg finds no frame in it");
    std::sort(times.begin(), times.end());
    const double first = times.front();
    for (double &time : times)
        time -= first;
    return times;
}

std::vector<cv::Mat> frames_at(const std::string &ffmpeg, const std::string &video, const std::vector<size_t> &numbers, int width) {
    std::string chosen;
    for (const size_t number : numbers)
        chosen += (chosen.empty() ? "eq(n\\," : "+eq(n\\,") + std::to_string(number) + ")";
    const std::string side = std::to_string(width);
    const std::string filter = "select=" + chosen + ",scale=w=" + side + ":h=max(1\\," + side + "/dar):flags=area,setsar=1";
    const std::string stream =
        output_of_reading(reading(ffmpeg, video),
                          {"-vf", filter, "-fps_mode", "passthrough", "-frames:v", std::to_string(numbers.size()), "-c:v", "ppm",
                           "-pix_fmt", "rgb24", "-f", "image2pipe", "-"},
                          most_pictures, video);
    std::vector<cv::Mat> pictures;
    size_t at = 0;
    for (cv::Mat picture = next_picture(stream, at); !picture.empty(); picture = next_picture(stream, at))
        pictures.push_back(picture);
    return pictures;
}

} // namespace aianime::media
