// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pair_sources.h"

#include <opencv2/imgproc.hpp>

#include <filesystem>

#include "train/clip_frames.h"
#include "train/face_marks.h"
#include "train/scenes.h"

namespace aianime::train {

namespace {

// Frames of a clip differ little.
constexpr double stills_a_second = 1;

// The short side somewhere between the limits, small ones more often: they cost less and hold more of the scene.
cv::Mat scaled(const cv::Mat &picture, const PairOptions &options, Draw &draw) {
    const double unit = draw.unit();
    const double wanted = options.least + (options.most - options.least) * unit * unit;
    const double side = std::min(picture.rows, picture.cols), factor = std::max(wanted, double(options.least)) / side;
    cv::Mat small;
    // At most twice as long as high, so that one picture does not fill the memory.
    const int width = std::min(picture.cols, 2 * picture.rows), height = std::min(picture.rows, 2 * picture.cols);
    const int x = static_cast<int>(draw.below(picture.cols - width + 1)),
              y = static_cast<int>(draw.below(picture.rows - height + 1));
    cv::resize(picture(cv::Rect(x, y, width, height)), small, {}, factor, factor, factor < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
    return small;
}

// Exposure, contrast, white balance and saturation of another camera and another hour.
cv::Mat exposed(const cv::Mat &picture, Draw &draw) {
    cv::Mat rgb, gray;
    picture.convertTo(rgb, CV_32FC3, 1 / 255.0);
    if (draw.chance(0.5))
        return rgb;
    cv::pow(rgb, draw.between(0.75, 1.35), rgb);
    cv::cvtColor(rgb, gray, cv::COLOR_RGB2GRAY);
    cv::cvtColor(gray, gray, cv::COLOR_GRAY2RGB);
    const double saturation = draw.between(0.6, 1.4);
    cv::addWeighted(rgb, saturation, gray, 1 - saturation, 0, rgb);
    cv::multiply(rgb, cv::Scalar(draw.between(0.85, 1.15), draw.between(0.92, 1.08), draw.between(0.85, 1.15)), rgb);
    cv::max(rgb, 0, rgb);
    cv::min(rgb, 1, rgb);
    return rgb;
}

} // namespace

PairSources::PairSources(const PairOptions &options, const Report &report)
    : options_(options), pictures_(std::make_unique<PictureFolder>(options.pictures, report)),
      faces_(pipeline::face_folder(), at::kCPU),
      fingerprint_(
          mix(pair_version, options.seed, static_cast<uint64_t>(options.least) << 32 | static_cast<uint64_t>(options.most))) {
    fingerprint_ = mix(fingerprint_, static_cast<uint64_t>(options.scenes * 1e6));
    for (size_t i = 0; i < pictures_->size(); i++)
        fingerprint_ = mix(fingerprint_, text_hash(std::filesystem::path(pictures_->path(i)).filename()));
    for (const Clip &clip : read_clips(options.clips, stills_a_second, options.most, report)) {
        stills_.insert(stills_.end(), clip.frames.begin(), clip.frames.end());
        fingerprint_ = mix(fingerprint_, clip.frames.size());
    }
}

// A share of scenes; of the rest pictures in turn, but every fourth pair is of a clip, whose frames are many and alike.
cv::Mat PairSources::photograph(int64_t i, Draw &draw) const {
    if (draw.chance(options_.scenes)) {
        const cv::Size size(static_cast<int>(options_.most * draw.between(1, 1.6)), options_.most);
        cv::Mat scene;
        procedural_scene(draw.bits(), size).convertTo(scene, CV_8UC3, 255);
        return scene;
    }
    if (!stills_.empty() && i % 4 == 3)
        return stills_[static_cast<size_t>(draw.below(static_cast<int64_t>(stills_.size())))];
    return pictures_->read(static_cast<size_t>(i) % pictures_->size());
}

Pair PairSources::make(int64_t i) const {
    Draw draw(mix(options_.seed, static_cast<uint64_t>(i), 17));
    const cv::Mat rgb = exposed(scaled(photograph(i, draw), options_, draw), draw);
    Pair pair;
    pair.base = cel_base(rgb, faces_);
    rgb.convertTo(pair.source, CV_8UC3, 255);
    return pair;
}

} // namespace aianime::train
