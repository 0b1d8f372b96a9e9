// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace aianime::eval {

// What is said of a frame, or of the pair of a frame and the one before it; docs/eval.md defines each.
enum Score : size_t {
    warp_error,
    warp_ssim,
    flicker,
    texture_follows,
    texture_flow,
    texture_screen,
    color_shift,
    style,
    style_color,
    style_edges,
    identity,
    clip,
    score_count
};

struct ScoreInfo {
    const char *key;   // in the report
    const char *title; // in the table and the plot
    int digits;        // behind the point
};
const ScoreInfo &score_info(Score score);

// Stands where a score has no value: at the first frame of a shot, for a picture without a face.
constexpr double no_score = std::numeric_limits<double>::quiet_NaN();
inline bool has_score(double value) { return !std::isnan(value); }

using FrameScores = std::array<double, score_count>;
inline FrameScores no_scores() {
    FrameScores scores;
    scores.fill(no_score);
    return scores;
}

} // namespace aianime::eval
