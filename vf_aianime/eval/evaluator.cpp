// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/evaluator.h"

#include <numeric>

#include "eval/pair_scores.h"
#include "eval/style_distance.h"

namespace aianime::eval {

Evaluator::Evaluator(const std::vector<std::pair<std::string, std::string>> &columns, const Judges &judges) : judges_(judges) {
    for (const auto &[key, title] : columns)
        measured_.columns.push_back({key, title, {}, {}});
}

void Evaluator::add(const FrameInfo &frame, const std::vector<cv::Mat> &pictures) {
    const bool starts_shot = measured_.frames.empty() || measured_.frames.back().shot != frame.shot;
    measured_.frames.push_back(frame);
    for (ColumnScores &column : measured_.columns)
        column.frames.push_back(no_scores());
    if (starts_shot) {
        before_.clear();
        before_that_.clear();
        shift_.start_shot();
    }
    if (!before_.empty()) {
        Motions motions = motions_between(pictures[0], before_[0]);
        score_pairs(pictures, motions);
        before_to_that_ = motions.back;
    }
    score_alone(pictures);
    score_content(pictures, starts_shot);
    before_that_ = std::move(before_);
    before_ = pictures;
}

void Evaluator::score_pairs(const std::vector<cv::Mat> &pictures, const Motions &motions) {
    for (size_t i = 0; i < pictures.size(); i++) {
        if (pictures[i].empty() || before_[i].empty())
            continue;
        FrameScores &scores = now(i);
        scores[warp_error] = pair_error(pictures[i], before_[i], motions.back);
        scores[warp_ssim] = pair_similarity(pictures[i], before_[i], motions.back);
        const Texture texture = texture_between(pictures[i], before_[i], motions.back);
        scores[texture_flow] = texture.flow;
        scores[texture_screen] = texture.screen;
        scores[texture_follows] = texture.follows;
        if (!before_that_.empty()) { // known of the frame before only now
            std::vector<FrameScores> &frames = measured_.columns[i].frames;
            frames[frames.size() - 2][flicker] =
                flicker_between(before_that_[i], before_[i], pictures[i], before_to_that_, motions.forward);
        }
    }
}

void Evaluator::score_alone(const std::vector<cv::Mat> &pictures) {
    const std::vector<cv::Vec3d> shifts = shift_.add(pictures);
    const std::vector<double> faces = judges_.identity ? judges_.identity(pictures) : std::vector<double>();
    for (size_t i = 0; i < pictures.size(); i++) {
        measured_.columns[i].shifts.push_back(shifts[i]);
        now(i)[color_shift] = cv::norm(shifts[i]);
        if (!faces.empty())
            now(i)[identity] = faces[i];
        if (i == 0 || pictures[i].empty())
            continue;
        const StyleDistance distance = style_distance(pictures[i], pictures[0]);
        now(i)[style] = distance.total();
        now(i)[style_color] = distance.color;
        now(i)[style_edges] = distance.edges;
    }
}

void Evaluator::score_content(const std::vector<cv::Mat> &pictures, bool starts_shot) {
    if (!judges_.embed)
        return;
    std::vector<std::vector<float>> content(pictures.size());
    for (size_t i = 0; i < pictures.size(); i++) {
        if (pictures[i].empty())
            continue;
        content[i] = judges_.embed(pictures[i]);
        if (!starts_shot && !content_[i].empty())
            now(i)[clip] = std::inner_product(content[i].begin(), content[i].end(), content_[i].begin(), 0.0);
    }
    content_ = std::move(content);
}

} // namespace aianime::eval
