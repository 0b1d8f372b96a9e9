// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/color_drift.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "eval/motion.h"
#include "eval/scores.h"
#include "train/lab.h"
#include "vision/flow.h"

namespace aianime::eval {

namespace {

constexpr int small_side = 192;     // a shift of colours needs no detail, and long motions are found better
constexpr double least_seen = 0.1;  // of the picture
constexpr double most_change = 15;  // dE of the source, beyond which the flow has found something else
constexpr size_t least_frames = 3;  // of a shot
constexpr double least_seconds = 2; // likewise
const cv::Vec3d unknown(no_score, no_score, no_score);

cv::Mat small(const cv::Mat &picture) {
    const double scale = small_side / static_cast<double>(std::min(picture.cols, picture.rows));
    if (scale >= 1)
        return picture;
    cv::Mat out;
    cv::resize(picture, out, {}, scale, scale, cv::INTER_AREA);
    return out;
}

// CV_8UC1: what is not much another colour is the same thing.
cv::Mat alike(const cv::Mat &lab, const cv::Mat &other) {
    cv::Mat difference = lab - other, squares;
    cv::transform(difference.mul(difference), squares, cv::Matx13f(1, 1, 1));
    return squares < most_change * most_change;
}

// Of each channel where the mask is set.
cv::Vec3d medians(const cv::Mat &picture, const cv::Mat &mask) {
    cv::Vec3d result;
    for (int channel = 0; channel < 3; channel++) {
        std::vector<float> values;
        for (int y = 0; y < picture.rows; y++)
            for (int x = 0; x < picture.cols; x++)
                if (mask.at<uchar>(y, x))
                    values.push_back(picture.at<cv::Vec3f>(y, x)[channel]);
        const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        result[channel] = *middle;
    }
    return result;
}

// Sums of a line through points (t, shift).
struct Line {
    std::vector<double> times;
    std::vector<cv::Vec3d> shifts;

    bool is_long() const { return times.size() >= least_frames && times.back() - times.front() >= least_seconds; }
    double slope() const {
        double mean_time = 0, spread = 0;
        for (const double time : times)
            mean_time += time / static_cast<double>(times.size());
        cv::Vec3d sum(0, 0, 0);
        for (size_t i = 0; i < times.size(); i++) {
            sum += (times[i] - mean_time) * shifts[i];
            spread += (times[i] - mean_time) * (times[i] - mean_time);
        }
        return cv::norm(sum) / spread;
    }
};

} // namespace

// False where too little of one is seen in the other.
bool ColorShift::relate(Known &now, const Known &then) const {
    const Motion motion = motions_between(now.pictures[0], then.pictures[0]).back;
    const cv::Mat mask = (motion.seen > 0.5) & alike(now.source_lab, vision::warp(then.source_lab, motion.flow));
    if (cv::countNonZero(mask) < least_seen * static_cast<double>(mask.total()))
        return false;
    for (size_t i = 0; i < now.pictures.size(); i++) {
        const cv::Mat &here = i == 0 ? now.source_lab : now.pictures[i], &there = i == 0 ? then.source_lab : then.pictures[i];
        now.shifts[i] = unknown;
        if (!here.empty() && !there.empty())
            now.shifts[i] = then.shifts[i] + medians(here - vision::warp(there, motion.flow), mask);
    }
    return true;
}

std::vector<cv::Vec3d> ColorShift::add(const std::vector<cv::Mat> &pictures) {
    Known now;
    for (const cv::Mat &picture : pictures) {
        const cv::Mat reduced = picture.empty() ? picture : small(picture);
        now.pictures.push_back(reduced.empty() || now.pictures.empty() ? reduced : train::to_lab(reduced));
        now.shifts.push_back(picture.empty() ? unknown : cv::Vec3d(0, 0, 0));
    }
    now.source_lab = train::to_lab(now.pictures[0]);
    if (known_.empty()) {
        lost_ = false;
        known_ = {now};
        return now.shifts;
    }
    if (!lost_ && !relate(now, known_.front())) {
        // The camera has left where it began: from here on against the last frame that could still be compared.
        known_.erase(known_.begin(), known_.end() - 1);
        lost_ = !relate(now, known_.front());
    }
    if (lost_)
        return std::vector<cv::Vec3d>(pictures.size(), unknown);
    known_.resize(1);
    known_.push_back(now);
    return now.shifts;
}

double drift_per_minute(const std::vector<double> &times, const std::vector<int> &shots, const std::vector<cv::Vec3d> &shifts) {
    double sum = 0, weights = 0;
    for (size_t begin = 0; begin < shots.size();) {
        Line line;
        size_t end = begin;
        for (; end < shots.size() && shots[end] == shots[begin]; end++)
            if (has_score(shifts[end][0])) {
                line.times.push_back(times[end]);
                line.shifts.push_back(shifts[end]);
            }
        if (line.is_long()) {
            sum += line.slope() * static_cast<double>(line.times.size());
            weights += static_cast<double>(line.times.size());
        }
        begin = end;
    }
    return weights > 0 ? 60 * sum / weights : no_score;
}

} // namespace aianime::eval
