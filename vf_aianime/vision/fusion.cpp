// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/fusion.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "vision/rows.h"

namespace aianime::vision {
namespace {

// Difference of sources, root mean square over the channels, that leaves a neighbour 60 % of its weight: grain and codec noise lie
// below, another thing's colours far above.
constexpr float tolerance = 0.05f;

// How far the carried source is the source that is there.
cv::Mat likeness(const cv::Mat &carried, const cv::Mat &here) {
    cv::Mat squares(here.size(), CV_32FC1);
    for_rows(here.rows, [&](int y) {
        const auto *a = carried.ptr<cv::Vec3f>(y), *b = here.ptr<cv::Vec3f>(y);
        float *out = squares.ptr<float>(y);
        for (int x = 0; x < here.cols; x++) {
            const cv::Vec3f difference = a[x] - b[x];
            out[x] = difference.dot(difference) / 3;
        }
    });
    cv::GaussianBlur(squares, squares, cv::Size(5, 5), 1); // one pixel's noise says little
    cv::Mat result;
    cv::exp(squares * (-0.5f / (tolerance * tolerance)), result);
    return result;
}

// Adds what `there` shows, carried along `motion`, to the sums of `here`.
void add_carried(cv::Mat &sum, cv::Mat &total, const cv::Mat &here, const cv::Mat &there, const cv::Mat &stylized,
                 const Motion &motion) {
    const cv::Mat weight = likeness(warp(there, motion.flow), here).mul(motion.valid), carried = warp(stylized, motion.flow);
    for_rows(here.rows, [&](int y) {
        const auto *in = carried.ptr<cv::Vec3f>(y);
        const float *w = weight.ptr<float>(y);
        auto *out = sum.ptr<cv::Vec3f>(y);
        float *all = total.ptr<float>(y);
        for (int x = 0; x < here.cols; x++) {
            out[x] += w[x] * in[x];
            all[x] += w[x];
        }
    });
}

cv::Mat mean(const cv::Mat &sum, const cv::Mat &weight) {
    cv::Mat result(sum.size(), CV_32FC3);
    for_rows(result.rows, [&](int y) {
        const auto *in = sum.ptr<cv::Vec3f>(y);
        const float *all = weight.ptr<float>(y);
        auto *out = result.ptr<cv::Vec3f>(y);
        for (int x = 0; x < result.cols; x++)
            out[x] = in[x] / all[x];
    });
    return result;
}

} // namespace

void MotionFusion::add(const cv::Mat &source, const cv::Mat &stylized, bool kept) {
    Entry entry{source, stylized, kept, {}, {}};
    if (reach_ > 0 && !kept && !stylized.empty()) {
        entry.sum = stylized.clone();
        entry.weight = cv::Mat::ones(stylized.size(), CV_32FC1);
    }
    entries_.push_back(std::move(entry));
    const size_t last = first_ + entries_.size() - 1;
    for (size_t i = last - std::min(reach_, last - first_); i < last; i++)
        join(entries_[i - first_], entries_.back(), i, last);
}

void MotionFusion::join(Entry &earlier, Entry &later, size_t from, size_t to) {
    if (earlier.stylized.empty() || later.stylized.empty() || (earlier.sum.empty() && later.sum.empty()))
        return;
    const MotionPair pair = motions_(from, to);
    if (!earlier.sum.empty())
        add_carried(earlier.sum, earlier.weight, earlier.source, later.source, later.stylized, pair.there);
    if (!later.sum.empty())
        add_carried(later.sum, later.weight, later.source, earlier.source, earlier.stylized, pair.back);
}

std::optional<cv::Mat> MotionFusion::take() {
    const size_t end = first_ + entries_.size();
    if (next_ == end || (!finished_ && next_ + reach_ >= end))
        return {};
    Entry &entry = entries_[next_++ - first_];
    const cv::Mat result = entry.sum.empty() ? entry.stylized : mean(entry.sum, entry.weight);
    entry.sum = entry.weight = cv::Mat();
    while (first_ < next_ && first_ + reach_ < end) { // nobody looks at it any more
        entries_.pop_front();
        first_++;
    }
    return result;
}

} // namespace aianime::vision
