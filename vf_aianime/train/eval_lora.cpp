// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "train/pack_eval_parts.h"

namespace aianime::train {

namespace {

constexpr size_t most_frames = 12;

StyleStatistics statistics_of(const std::vector<cv::Mat> &pictures) {
    std::vector<StyleStatistics> all;
    for (const cv::Mat &picture : pictures)
        all.push_back(style_statistics(picture));
    return mean_statistics(all);
}

double mean_f1(const std::vector<cv::Mat> &pictures, const std::vector<cv::Mat> &targets) {
    double sum = 0;
    for (size_t i = 0; i < pictures.size(); i++)
        sum += edge_match(pictures[i], targets[i]).f1();
    return sum / static_cast<double>(pictures.size());
}

} // namespace

LoraScore lora_effect(const PackRenderer &renderer, const std::vector<TaughtFrame> &frames, const std::vector<cv::Mat> &like,
                      const EvalOptions &options, const Report &report) {
    const CelStyle &style = cel_styles()[options.styles.front()];
    const std::string prompt = options.lora_prompt.empty() ? style.prompt : options.lora_prompt;
    const size_t count = std::min(most_frames, frames.size());
    std::vector<cv::Mat> sources, targets;
    for (size_t i = 0; i < count; i++) {
        const TaughtFrame &frame = frames[(2 * i + 1) * frames.size() / (2 * count)];
        sources.push_back(frame.frame->picture);
        targets.push_back(cel_picture(frame.base, style));
    }
    RenderOptions plain = render_options(options, prompt);
    plain.lora.clear();
    const std::vector<cv::Mat> without = render_all(renderer, sources, plain, report),
                               with = render_all(renderer, sources, render_options(options, prompt), report);
    LoraScore score;
    score.pictures = count;
    score.target = statistics_of(like);
    score.without = statistics_of(without);
    score.with = statistics_of(with);
    score.f1_without = mean_f1(without, targets);
    score.f1_with = mean_f1(with, targets);
    return score;
}

} // namespace aianime::train
