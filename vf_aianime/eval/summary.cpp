// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/summary.h"

#include <algorithm>

namespace aianime::eval {

namespace {

double mean_of(const std::vector<FrameScores> &frames, size_t count, Score score) {
    double sum = 0, values = 0;
    for (size_t i = 0; i < count; i++)
        if (has_score(frames[i][score])) {
            sum += frames[i][score];
            values++;
        }
    return values > 0 ? sum / values : no_score;
}

double drift_of(const std::vector<FrameInfo> &frames, const std::vector<cv::Vec3d> &shifts) {
    std::vector<double> times;
    std::vector<int> shots;
    for (size_t i = 0; i < shifts.size(); i++) {
        times.push_back(frames[i].time);
        shots.push_back(frames[i].shot);
    }
    return drift_per_minute(times, shots, shifts);
}

} // namespace

Summary summarize(const Measured &measured, size_t column, size_t frames, const std::vector<Seams> &seams) {
    const ColumnScores &scores = measured.columns[column];
    const size_t count = std::min(frames, measured.frames.size());
    Summary summary{};
    for (size_t score = 0; score < score_count; score++) {
        // The last frame's flicker looks at the next one, which the others do not have.
        const bool one_less = score == flicker && count > 0 && count < measured.frames.size();
        summary.means[score] = mean_of(scores.frames, one_less ? count - 1 : count, static_cast<Score>(score));
    }

    const auto end = static_cast<ptrdiff_t>(count);
    const std::vector<cv::Vec3d> shifts(scores.shifts.begin(), scores.shifts.begin() + end);
    std::vector<cv::Vec3d> net = shifts;
    for (size_t i = 0; i < count; i++)
        net[i] -= measured.columns[0].shifts[i];
    summary.drift = drift_of(measured.frames, shifts);
    summary.drift_net = column == 0 ? no_score : drift_of(measured.frames, net);

    std::vector<double> errors;
    for (size_t i = 0; i < count; i++)
        errors.push_back(scores.frames[i][warp_error]);
    for (const Seams &kind : seams)
        summary.seams.push_back(seam_ratio(errors, kind.across));
    return summary;
}

double ratio(double a, double b) { return has_score(a) && has_score(b) && b != 0 ? a / b : no_score; }

} // namespace aianime::eval
