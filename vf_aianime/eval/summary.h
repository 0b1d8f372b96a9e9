// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "eval/evaluator.h"

namespace aianime::eval {

// Borders of one kind, as seams.h marks them.
struct Seams {
    std::string kind; // "segments", "windows", "borders"
    std::vector<bool> across;
};

// The scores of the first `frames` frames of a video.
struct Summary {
    FrameScores means;         // over the frames that have the score
    double drift;              // of colours, dE per minute
    double drift_net;          // the same less the source's; no_score for the source
    std::vector<double> seams; // ratios, in the order of the Seams
};
Summary summarize(const Measured &measured, size_t column, size_t frames, const std::vector<Seams> &seams);

// a / b; no_score where either has no value or b is 0.
double ratio(double a, double b);

} // namespace aianime::eval
