// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/clip_pairs.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "nn/aten.h"
#include "pipeline/faces.h"
#include "train/clip_frames.h"
#include "train/face_marks.h"
#include "train/pair_file.h"

namespace aianime::train {

namespace {

constexpr size_t most_frames = 120; // of a run
constexpr int short_side = 256;

FreeColors random_palette(Draw &draw) {
    const std::vector<HueWord> &hues = hue_words();
    const auto hue = [&] { return hues[static_cast<size_t>(draw.below(static_cast<int64_t>(hues.size())))].hue; };
    const float backdrop = hue();
    return {backdrop, hue()};
}

Pair cut(const Pair &pair, const cv::Rect &place) {
    return {pair.source(place), {pair.base.flat(place), pair.base.lines(place), pair.base.marks(place)}};
}

Pair warped(const Pair &pair, const cv::Matx23d &there, int side) {
    const auto part = [&](const cv::Mat &whole) {
        cv::Mat out;
        cv::warpAffine(whole, out, there, {side, side}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REFLECT_101);
        return out;
    };
    return {part(pair.source), {part(pair.base.flat), part(pair.base.lines), part(pair.base.marks)}};
}

// CV_32FC3 frames -> [frames, 3, side, side].
at::Tensor stacked(const std::vector<cv::Mat> &frames, double factor, double offset) {
    std::vector<at::Tensor> all;
    for (const cv::Mat &frame : frames)
        all.push_back(at::from_blob(frame.data, {frame.rows, frame.cols, 3}, at::kFloat).permute({2, 0, 1}) * factor + offset);
    return at::stack(all).contiguous();
}

} // namespace

ClipPairs::ClipPairs(const PairOptions &options, const PairSet &stills, double rate, const Report &report) : stills_(stills) {
    std::filesystem::create_directories(options.kept);
    const pipeline::FaceFinder faces(pipeline::face_folder(), at::kCPU);
    for (const Clip &clip : read_clips(options.clips, rate, short_side, report)) {
        Run run;
        for (size_t i = 0; i < std::min(clip.frames.size(), most_frames) && !report.stopped(); i++) {
            char name[80];
            const std::string file = std::filesystem::path(clip.name).filename();
            std::snprintf(name, sizeof name, "/clip-%016llx-%04zu.png",
                          static_cast<unsigned long long>(mix(text_hash(file), pair_version, static_cast<uint64_t>(rate * 1000))),
                          i);
            if (!std::filesystem::exists(options.kept + name)) {
                cv::Mat rgb;
                clip.frames[i].convertTo(rgb, CV_32FC3, 1 / 255.0);
                write_pair(options.kept + name, {clip.frames[i], cel_base(rgb, faces)});
            }
            run.push_back(read_pair(options.kept + name));
        }
        if (run.size() >= 2)
            runs_.push_back(std::move(run));
        report.say("clips: " + clip.name + ", " + std::to_string(clip.frames.size()) + " frames");
    }
}

ClipPairs::Run ClipPairs::frames_of_clip(const ClipBatchOptions &options, Draw &draw) const {
    const Run &run = runs_[static_cast<size_t>(draw.below(static_cast<int64_t>(runs_.size())))];
    const auto count = static_cast<int64_t>(run.size()), wanted = options.frames;
    const int64_t first = draw.below(std::max<int64_t>(1, count - wanted + 1));
    const cv::Size size = run.front().source.size();
    const cv::Rect place(static_cast<int>(draw.below(size.width - options.side + 1)),
                         static_cast<int>(draw.below(size.height - options.side + 1)), options.side, options.side);
    Run frames;
    // A run that is too short stands still at its end.
    for (int64_t i = 0; i < wanted; i++)
        frames.push_back(cut(run[static_cast<size_t>(std::min(first + i, count - 1))], place));
    return frames;
}

ClipPairs::Run ClipPairs::frames_of_still(const ClipBatchOptions &options, Draw &draw) const {
    const Pair &pair = stills_[static_cast<size_t>(draw.below(static_cast<int64_t>(stills_.size())))];
    const double side = options.side;
    double x = draw.between(0.5 * side, pair.source.cols - 0.5 * side), y = draw.between(0.5 * side, pair.source.rows - 0.5 * side);
    double angle = 0, scale = 1;
    const double step_x = draw.between(-5, 5), step_y = draw.between(-3, 3), turn = draw.between(-0.02, 0.02),
                 zoom = draw.between(0.98, 1.02);
    Run frames;
    for (int64_t i = 0; i < options.frames; i++) {
        const double c = scale * std::cos(angle), s = scale * std::sin(angle);
        frames.push_back(warped(pair, {c, -s, x - (c - s) * side / 2, s, c, y - (s + c) * side / 2}, options.side));
        x += step_x;
        y += step_y;
        angle += turn;
        scale *= zoom;
    }
    return frames;
}

ClipBatch ClipPairs::batch(const ClipBatchOptions &options, uint64_t seed) const {
    ClipBatch batch;
    std::vector<at::Tensor> sources, targets, others, all_hues;
    for (int64_t i = 0; i < options.clips; i++) {
        Draw draw(mix(seed, static_cast<uint64_t>(i)));
        const Run frames =
            runs_.empty() || draw.chance(options.still) ? frames_of_still(options, draw) : frames_of_clip(options, draw);
        const CelStyle &style = cel_styles()[static_cast<size_t>(draw.below(static_cast<int64_t>(cel_styles().size())))];
        // Mostly palettes that nothing but another frame tells.
        const bool open = draw.chance(0.75);
        const FreeColors palette = open ? random_palette(draw) : FreeColors{};
        std::vector<cv::Mat> source, target, other;
        std::vector<at::Tensor> hues;
        batch.open.push_back(open);
        batch.marks.emplace_back();
        for (const Pair &frame : frames) {
            source.emplace_back();
            frame.source.convertTo(source.back(), CV_32FC3, 1 / 255.0);
            target.push_back(cel_picture(frame.base, style, palette));
            batch.marks.back().push_back(frame.base.marks);
            const FreeColors own = open ? random_palette(draw) : FreeColors{};
            other.push_back(open ? cel_picture(frame.base, style, own) : target.back());
            const FreeColors &decided = hues.empty() ? palette : own;
            hues.push_back(at::tensor({decided.backdrop, decided.cloth}));
        }
        sources.push_back(stacked(source, 1, 0));
        targets.push_back(stacked(target, 2, -1));
        others.push_back(stacked(other, 2, -1));
        all_hues.push_back(at::stack(hues));
        batch.prompts.push_back(style.prompt + (open ? ", new colors" : ""));
    }
    batch.source = at::stack(sources);
    batch.target = at::stack(targets);
    batch.other = at::stack(others);
    batch.hues = at::stack(all_hues);
    return batch;
}

} // namespace aianime::train
