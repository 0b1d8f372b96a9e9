// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/fill.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace aianime::vision {

namespace {

// As many channels as `like` has.
cv::Mat repeated(const cv::Mat &plane, const cv::Mat &like) {
    cv::Mat out;
    cv::merge(std::vector<cv::Mat>(static_cast<size_t>(like.channels()), plane), out);
    return out;
}

// `sum` holds values times `weight`.
cv::Mat pulled(const cv::Mat &sum, const cv::Mat &weight) {
    const cv::Mat mean = sum / repeated(weight + 1e-6, sum);
    double least = 0;
    cv::minMaxLoc(weight, &least);
    if (least > 0.5 || (weight.cols == 1 && weight.rows == 1))
        return mean;
    const cv::Size half((weight.cols + 1) / 2, (weight.rows + 1) / 2);
    cv::Mat coarse_sum, coarse_weight, coarse;
    cv::resize(sum, coarse_sum, half, 0, 0, cv::INTER_AREA);
    cv::resize(weight, coarse_weight, half, 0, 0, cv::INTER_AREA);
    cv::resize(pulled(coarse_sum, coarse_weight), coarse, weight.size(), 0, 0, cv::INTER_LINEAR);
    const cv::Mat share = repeated(cv::min(weight * 2, 1.0), sum);
    return mean.mul(share) + coarse.mul(cv::Scalar::all(1) - share);
}

} // namespace

cv::Mat fill_unseen(const cv::Mat &picture, const cv::Mat &seen) {
    if (cv::countNonZero(seen) == 0)
        return cv::Mat(picture.size(), CV_32FC3, cv::Scalar::all(0.5));
    cv::Mat weight, out;
    cv::Mat(seen != 0).convertTo(weight, CV_32F, 1.0 / 255);
    pulled(picture.mul(repeated(weight, picture)), weight).copyTo(out);
    picture.copyTo(out, seen);
    return out;
}

cv::Mat spread(const cv::Mat &values, const cv::Mat &weight, double sigma) {
    // Small pictures say as much and cost less.
    const double scale = std::min(1.0, 2 / sigma);
    const cv::Size small(std::max(1, cvRound(values.cols * scale)), std::max(1, cvRound(values.rows * scale)));
    cv::Mat sum, total, out;
    cv::resize(values.mul(repeated(weight, values)), sum, small, 0, 0, cv::INTER_AREA);
    cv::resize(weight, total, small, 0, 0, cv::INTER_AREA);
    cv::GaussianBlur(sum, sum, {}, sigma * scale);
    cv::GaussianBlur(total, total, {}, sigma * scale);
    cv::resize(sum / repeated(total + 0.01, sum), out, values.size(), 0, 0, cv::INTER_LINEAR);
    return out;
}

} // namespace aianime::vision
