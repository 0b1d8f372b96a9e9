// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/clip_frames.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/error.h"
#include "media/video_frames.h"
#include "vision/shots.h"

namespace aianime::train {

namespace fs = std::filesystem;

namespace {

bool is_clip_name(const fs::path &path) {
    static const std::vector<std::string> known = {".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg"};
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(known.begin(), known.end(), extension) != known.end();
}

std::vector<std::string> clip_paths(const std::string &folder) {
    std::vector<std::string> paths;
    std::error_code failed;
    if (folder.empty() || !fs::is_directory(folder, failed))
        return paths;
    for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && is_clip_name(entry.path()))
            paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

// The frames nearest to a regular grid; a clip of a lower rate gives all of its frames.
std::vector<size_t> on_grid(const std::vector<double> &times, double rate) {
    std::vector<size_t> numbers;
    for (size_t i = 0; i < times.size(); i++)
        if (numbers.empty() || std::floor(times[i] * rate + 1e-6) > std::floor(times[numbers.back()] * rate + 1e-6))
            numbers.push_back(i);
    return numbers;
}

// Some at a time: a long clip's frames do not fit the memory at full size.
std::vector<cv::Mat> read_frames(const std::string &ffmpeg, const std::string &path, double rate, int short_side) {
    const std::vector<size_t> numbers = on_grid(media::frame_times(ffmpeg, path), rate);
    const cv::Mat first = media::frames_at(ffmpeg, path, {numbers.front()}, 256).at(0);
    const double aspect = static_cast<double>(first.cols) / first.rows;
    const int width = static_cast<int>(std::lround(short_side * std::max(1.0, aspect)));
    std::vector<cv::Mat> frames;
    constexpr size_t at_once = 64;
    for (size_t begin = 0; begin < numbers.size(); begin += at_once) {
        const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(std::min(begin + at_once, numbers.size()));
        for (const cv::Mat &bgr :
             media::frames_at(ffmpeg, path, {numbers.begin() + static_cast<std::ptrdiff_t>(begin), end}, width)) {
            frames.emplace_back();
            cv::cvtColor(bgr, frames.back(), cv::COLOR_BGR2RGB);
        }
    }
    return frames;
}

void split_at_cuts(const std::string &path, const std::vector<cv::Mat> &frames, std::vector<Clip> &clips) {
    vision::ShotDetector detector;
    Clip run;
    int number = 0;
    const auto finish = [&] {
        run.name = path + "#" + std::to_string(number++);
        if (run.frames.size() >= 2)
            clips.push_back(run);
        run.frames.clear();
    };
    for (const cv::Mat &frame : frames) {
        cv::Mat unit;
        frame.convertTo(unit, CV_32FC3, 1 / 255.0);
        if (detector.starts_shot(unit) && !run.frames.empty())
            finish();
        run.frames.push_back(frame);
    }
    finish();
}

} // namespace

std::vector<Clip> read_clips(const std::string &folder, double rate, int short_side, const Report &report) {
    const std::vector<std::string> paths = clip_paths(folder);
    std::vector<Clip> clips;
    if (paths.empty())
        return clips;
    const std::string ffmpeg = media::find_ffmpeg();
    for (const std::string &path : paths) {
        if (report.stopped())
            break;
        try {
            split_at_cuts(path, read_frames(ffmpeg, path, rate, short_side), clips);
        } catch (const Error &error) {
            report.say(std::string(error.what()) + "; left out");
        }
    }
    return clips;
}

} // namespace aianime::train
