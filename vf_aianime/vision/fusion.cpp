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

// Picture and weight so far.
struct Sum {
    cv::Mat picture, weight;
};

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

void add_carried(Sum &sum, const cv::Mat &here, const cv::Mat &there, const cv::Mat &stylized, const Motion &motion) {
    const cv::Mat weight = likeness(warp(there, motion.flow), here).mul(motion.valid), carried = warp(stylized, motion.flow);
    for_rows(here.rows, [&](int y) {
        const auto *in = carried.ptr<cv::Vec3f>(y);
        const float *w = weight.ptr<float>(y);
        auto *out = sum.picture.ptr<cv::Vec3f>(y);
        float *total = sum.weight.ptr<float>(y);
        for (int x = 0; x < here.cols; x++) {
            out[x] += w[x] * in[x];
            total[x] += w[x];
        }
    });
}

cv::Mat mean(const Sum &sum) {
    cv::Mat result(sum.picture.size(), CV_32FC3);
    for_rows(result.rows, [&](int y) {
        const auto *in = sum.picture.ptr<cv::Vec3f>(y);
        const float *weight = sum.weight.ptr<float>(y);
        auto *out = result.ptr<cv::Vec3f>(y);
        for (int x = 0; x < result.cols; x++)
            out[x] = in[x] / weight[x];
    });
    return result;
}

} // namespace

std::vector<cv::Mat> fuse_along_motion(const std::vector<cv::Mat> &sources, const std::vector<cv::Mat> &stylized,
                                       const MotionsOf &motions, size_t reach, size_t kept) {
    const size_t count = stylized.size();
    std::vector<cv::Mat> result(stylized);
    std::vector<Sum> sums(count);
    for (size_t i = 0; i < count; i++) {
        const size_t end = std::min(i + reach, count - 1);
        // Pairs are looked at from the earlier frame, which is done when it has seen all later ones.
        for (size_t j = i; j <= end; j++)
            if (sums[j].picture.empty() && !stylized[j].empty())
                sums[j] = {stylized[j].clone(), cv::Mat::ones(stylized[j].size(), CV_32FC1)};
        for (size_t j = i + 1; j <= end; j++) {
            if (stylized[i].empty() || stylized[j].empty() || j < kept)
                continue;
            const MotionPair pair = motions(i, j);
            if (i >= kept)
                add_carried(sums[i], sources[i], sources[j], stylized[j], pair.there);
            add_carried(sums[j], sources[j], sources[i], stylized[i], pair.back);
        }
        if (i >= kept && !stylized[i].empty())
            result[i] = mean(sums[i]);
        sums[i] = {};
    }
    return result;
}

} // namespace aianime::vision
