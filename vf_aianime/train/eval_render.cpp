// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgproc.hpp>

#include <algorithm>

#include "io/error.h"
#include "train/pack_eval_parts.h"

namespace aianime::train {

namespace {

// Fills the size with the picture's middle.
cv::Mat filling(const cv::Mat &picture, cv::Size size) {
    const double scale = std::max(static_cast<double>(size.width) / picture.cols, static_cast<double>(size.height) / picture.rows);
    cv::Mat scaled;
    cv::resize(picture, scaled,
               {std::max(size.width, cvRound(picture.cols * scale)), std::max(size.height, cvRound(picture.rows * scale))}, 0, 0,
               scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    return scaled(cv::Rect((scaled.cols - size.width) / 2, (scaled.rows - size.height) / 2, size.width, size.height)).clone();
}

} // namespace

RenderOptions render_options(const EvalOptions &options, const std::string &prompt) {
    RenderOptions rendering;
    rendering.prompt = prompt;
    rendering.steps = options.steps;
    rendering.seed = options.seed;
    rendering.precision = options.precision;
    rendering.threads = options.threads;
    rendering.lora = options.lora;
    return rendering;
}

std::vector<cv::Mat> render_all(const PackRenderer &renderer, const std::vector<cv::Mat> &sources, const RenderOptions &options,
                                const Report &report) {
    Rendered made = renderer.pictures(sources, options);
    if (report.stopped() || made.pictures.size() != sources.size())
        throw Error(AIANIME_CANCELLED, "stopped");
    return std::move(made.pictures);
}

TimeScore frame_time(const PackRenderer &renderer, const cv::Mat &picture, const EvalOptions &options, const Report &report) {
    TimeScore score;
    score.size = {640, 360};
    score.steps = options.steps;
    score.many_steps = options.many_steps;
    const cv::Mat source = filling(picture, score.size);
    // The least of several times: the machine may have other things to do.
    const auto seconds = [&](int steps, size_t times) {
        RenderOptions rendering = render_options(options, cel_styles()[options.styles.front()].prompt);
        rendering.steps = steps;
        const Rendered made = renderer.pictures(std::vector<cv::Mat>(times, source), rendering);
        if (report.stopped() || made.pictures.size() != times)
            throw Error(AIANIME_CANCELLED, "stopped");
        return *std::min_element(made.seconds.begin(), made.seconds.end());
    };
    score.seconds = seconds(score.steps, 4);
    score.many_seconds = seconds(score.many_steps, 2);
    return score;
}

} // namespace aianime::train
