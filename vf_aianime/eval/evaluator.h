// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <string>
#include <vector>

#include "eval/color_drift.h"
#include "eval/motion.h"
#include "eval/scores.h"
#include "eval/seams.h"

namespace aianime::eval {

// A video that is scored: the source itself, or one made of it.
struct ColumnScores {
    std::string key;                 // in the report
    std::string title;               // in the table
    std::vector<FrameScores> frames; // no_scores() behind its end
    std::vector<cv::Vec3d> shifts;   // of its colours, L* a* b*
};

struct Measured {
    std::vector<FrameInfo> frames;
    std::vector<ColumnScores> columns; // the source is first
};

// Scores that need networks; either may be empty.
struct Judges {
    // What a picture shows, as a vector of length 1.
    std::function<std::vector<float>(const cv::Mat &picture)> embed;
    // How much the faces of pictures[1] on are the source's, pictures[0]; no_score without a face, for empty pictures, and for
    // frames that are left out.
    std::function<std::vector<double>(const std::vector<cv::Mat> &pictures)> identity;
};

// Takes frames in order and keeps three of them.
class Evaluator {
public:
    // The columns' keys and titles, the source first.
    Evaluator(const std::vector<std::pair<std::string, std::string>> &columns, const Judges &judges);

    // pictures: one a column, CV_32FC3, R G B in [0, 1], of one size; empty for a column that ended before.
    void add(const FrameInfo &frame, const std::vector<cv::Mat> &pictures);

    const Measured &measured() const { return measured_; }

private:
    void score_pairs(const std::vector<cv::Mat> &pictures, const Motions &motions);
    void score_alone(const std::vector<cv::Mat> &pictures);
    void score_content(const std::vector<cv::Mat> &pictures, bool starts_shot);
    FrameScores &now(size_t column) { return measured_.columns[column].frames.back(); }

    Judges judges_;
    Measured measured_;
    ColorShift shift_;
    std::vector<cv::Mat> before_, before_that_; // pictures of this shot
    Motion before_to_that_;
    std::vector<std::vector<float>> content_; // of before_
};

} // namespace aianime::eval
