// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "eval/summary.h"

namespace aianime::eval {

// What was scored, and how.
struct Evaluation {
    std::string source, result; // files
    std::string look;           // template of the baselines
    size_t clip_frames = 0;     // of the whole clip
    std::string rate;           // "generated" or "source": which of them are scored
    cv::Size size;              // they are scored at
    size_t compared = 0;        // frames, from the first, that all columns have; those that ratios are taken over
    Measured measured;
    std::vector<Seams> seams;
};

// The column with this key, or none.
const ColumnScores *find_column(const Measured &measured, const std::string &key);

// How the result stands to another column over the frames compared. no_score where that column is not there.
struct Comparison {
    std::string key; // of the other column
    double warp_error, flicker, style;
    double identity; // the difference
};
std::vector<Comparison> comparisons(const Evaluation &evaluation);

// JSON (docs/eval.md); null where a score has no value.
std::string report_json(const Evaluation &evaluation);
// The table.
std::string report_table(const Evaluation &evaluation);

} // namespace aianime::eval
