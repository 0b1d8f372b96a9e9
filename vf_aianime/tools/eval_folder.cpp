// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/eval_folder.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "media/picture_file.h"
#include "media/video_frames.h"

namespace aianime::tools {

namespace {

namespace fs = std::filesystem;
using train::EvalFrame;

bool has_extension(const fs::path &path, const std::vector<std::string> &known) {
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(known.begin(), known.end(), extension) != known.end();
}

bool is_picture(const fs::path &path) { return has_extension(path, {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}); }
bool is_clip(const fs::path &path) { return has_extension(path, {".mp4", ".mkv", ".webm", ".mov", ".m4v", ".avi"}); }

std::vector<std::string> files_below(const std::string &folder) {
    std::vector<std::string> files;
    for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied))
        if (entry.is_regular_file() && (is_picture(entry.path()) || is_clip(entry.path())))
            files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

// CV_32FC3, R G B; alpha over white, as the trainer's pictures.
cv::Mat to_rgb(const cv::Mat &stored) {
    cv::Mat picture, rgb;
    stored.convertTo(picture, CV_32F, stored.depth() == CV_16U ? 1 / 65535.0 : 1 / 255.0);
    if (picture.channels() == 3) {
        cv::cvtColor(picture, rgb, cv::COLOR_BGR2RGB);
    } else if (picture.channels() == 4) {
        std::vector<cv::Mat> planes;
        cv::split(picture, planes);
        for (int i = 0; i < 3; i++)
            planes[i] = planes[i].mul(planes[3]) + (1 - planes[3]);
        cv::merge(std::vector<cv::Mat>{planes[2], planes[1], planes[0]}, rgb);
    } else {
        cv::cvtColor(picture, rgb, cv::COLOR_GRAY2RGB);
    }
    return rgb;
}

// The largest part of this shape: from the middle across, and from a third of what is left over above, where faces are.
cv::Mat part_of_shape(const cv::Mat &picture, cv::Size shape) {
    const cv::Size size(std::min(picture.cols, std::max(1, picture.rows * shape.width / shape.height)),
                        std::min(picture.rows, std::max(1, picture.cols * shape.height / shape.width)));
    return picture(cv::Rect((picture.cols - size.width) / 2, (picture.rows - size.height) / 3, size.width, size.height));
}

// Rounded to 8 bits, as the pack will see it.
cv::Mat scaled(const cv::Mat &rgb, cv::Size shape) {
    const cv::Mat part = part_of_shape(rgb, shape);
    cv::Mat small, codes, out;
    cv::resize(part, small, shape, 0, 0, shape.width < part.cols ? cv::INTER_AREA : cv::INTER_CUBIC);
    small.convertTo(codes, CV_8UC3, 255);
    codes.convertTo(out, CV_32FC3, 1 / 255.0);
    return out;
}

// Frames of a clip by their numbers, rising.
class ClipFile {
public:
    ClipFile(const std::string &ffmpeg, const std::string &path)
        : ffmpeg_(ffmpeg), path_(path), times_(media::frame_times(ffmpeg, path)) {}

    size_t size() const { return times_.size(); }

    std::vector<cv::Mat> frames(const std::vector<size_t> &numbers, cv::Size shape) const {
        const std::vector<cv::Mat> first = media::frames_at(ffmpeg_, path_, {numbers[0]}, 64);
        if (first.empty())
            throw Error(AIANIME_BAD_DATA, path_ + ": no frame can be decoded");
        // Wide enough for the shape's height too, but never wider than 4 times that, whatever the file says.
        const double aspect = std::min(4.0, static_cast<double>(first[0].cols) / first[0].rows);
        std::vector<cv::Mat> pictures;
        for (const cv::Mat &frame :
             media::frames_at(ffmpeg_, path_, numbers, std::max(shape.width, cvRound(shape.height * aspect))))
            pictures.push_back(scaled(to_rgb(frame), shape));
        return pictures;
    }

    // The middles of `count` equal parts.
    std::vector<size_t> spread(size_t count) const {
        count = std::min(count, size());
        std::vector<size_t> numbers;
        for (size_t i = 0; i < count; i++)
            numbers.push_back((2 * i + 1) * size() / (2 * count));
        return numbers;
    }

    // About 10 a second, around the middle.
    std::vector<size_t> run(size_t count) const {
        const double rate = times_.back() > 0 ? static_cast<double>(size() - 1) / times_.back() : 10;
        const size_t step = std::max<size_t>(1, static_cast<size_t>(std::lround(rate / 10)));
        count = std::min(count, (size() - 1) / step + 1);
        std::vector<size_t> numbers;
        for (size_t i = 0; i < count; i++)
            numbers.push_back((size() - 1 - (count - 1) * step) / 2 + i * step);
        return numbers;
    }

private:
    std::string ffmpeg_, path_;
    std::vector<double> times_;
};

// How many frames each file gives: one by one in turn; a picture has one only.
std::vector<size_t> shares(const std::vector<std::string> &files, size_t frames) {
    std::vector<size_t> result(files.size(), 0);
    if (frames < files.size()) {
        for (size_t i = 0; i < frames; i++)
            result[(2 * i + 1) * files.size() / (2 * frames)] = 1;
        return result;
    }
    std::fill(result.begin(), result.end(), 1);
    size_t left = frames - files.size();
    const bool clips = std::any_of(files.begin(), files.end(), [](const std::string &file) { return is_clip(file); });
    for (size_t i = 0; clips && left > 0; i = (i + 1) % files.size())
        if (is_clip(files[i])) {
            result[i]++;
            left--;
        }
    return result;
}

class Loader {
public:
    Loader(cv::Size shape, size_t clips, size_t clip_frames, const train::Report &report)
        : shape_(shape), clips_(clips), clip_frames_(clip_frames), report_(report) {}

    void add(const std::string &file, size_t frames) {
        try {
            if (is_clip(file))
                add_clip(file, frames);
            else if (frames > 0)
                data_.frames.push_back({scaled(to_rgb(media::read_picture(file)), shape_), file, sources_});
            sources_++;
        } catch (const Error &error) {
            if (error.code() != AIANIME_BAD_DATA)
                throw;
            report_.say("left out: " + std::string(error.what()));
        }
    }

    size_t frames() const { return data_.frames.size(); }
    train::EvalData data() { return std::move(data_); }

private:
    void add_clip(const std::string &file, size_t frames) {
        const bool run = data_.clips.size() < clips_ && clip_frames_ > 1;
        if (frames == 0 && !run)
            return;
        if (ffmpeg_.empty())
            ffmpeg_ = media::find_ffmpeg();
        const ClipFile clip(ffmpeg_, file);
        if (frames > 0)
            for (const cv::Mat &picture : clip.frames(clip.spread(frames), shape_))
                data_.frames.push_back({picture, file, sources_});
        if (run)
            data_.clips.push_back({file, clip.frames(clip.run(clip_frames_), shape_)});
    }

    const cv::Size shape_;
    const size_t clips_, clip_frames_;
    const train::Report &report_;
    std::string ffmpeg_;
    size_t sources_ = 0;
    train::EvalData data_;
};

} // namespace

train::EvalData load_eval_folder(const std::string &folder, cv::Size shape, size_t frames, size_t clips, size_t clip_frames,
                                 const train::Report &report) {
    if (!io::is_folder(folder))
        throw Error(AIANIME_NOT_FOUND, io::printable(folder) + ": no such folder");
    const std::vector<std::string> files = files_below(folder);
    const std::vector<size_t> counts = shares(files, frames);
    Loader loader(shape, clips, clip_frames, report);
    size_t owed = 0; // by files that gave fewer than their share; the next ones make up for it
    for (size_t i = 0; i < files.size(); i++) {
        const size_t more = is_clip(files[i]) ? owed : std::min<size_t>(owed, counts[i] == 0), before = loader.frames();
        loader.add(files[i], counts[i] + more);
        owed += counts[i] - (loader.frames() - before);
    }
    train::EvalData data = loader.data();
    if (data.frames.empty())
        throw Error(AIANIME_BAD_DATA, io::printable(folder) + ": no picture and no clip that can be read in it");
    return data;
}

} // namespace aianime::tools
