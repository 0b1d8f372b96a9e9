// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/measures.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "io/error.h"

namespace aianime::train {

namespace {

void check_picture(const cv::Mat &picture, int least) {
    if (picture.type() != CV_32FC3 || picture.rows < least || picture.cols < least)
        throw Error(AIANIME_INVALID, "measures take colour pictures in float, their sides " + std::to_string(least) + " at least");
}

void check_pair(const cv::Mat &picture, const cv::Mat &target, int least) {
    check_picture(picture, least);
    check_picture(target, least);
    if (picture.size() != target.size())
        throw Error(AIANIME_INVALID, "pictures of different sizes cannot be compared");
}

cv::Mat windowed(const cv::Mat &plane) {
    static constexpr int side = 11;
    const cv::Mat kernel = cv::getGaussianKernel(side, 1.5, CV_64F);
    cv::Mat mean;
    cv::sepFilter2D(plane, mean, CV_64F, kernel, kernel);
    return mean(cv::Rect(side / 2, side / 2, plane.cols - side + 1, plane.rows - side + 1));
}

// Of one channel each, CV_64FC1, at the pixels whose window lies inside.
cv::Mat channel_ssim(const cv::Mat &a, const cv::Mat &b) {
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    const cv::Mat mean_a = windowed(a), mean_b = windowed(b);
    const cv::Mat ab = mean_a.mul(mean_b), aa = mean_a.mul(mean_a), bb = mean_b.mul(mean_b);
    const cv::Mat covariance = windowed(a.mul(b)) - ab;
    const cv::Mat variances = windowed(a.mul(a)) + windowed(b.mul(b)) - aa - bb;
    const cv::Mat means = aa + bb + c1, spreads = variances + c2;
    cv::Mat similarity;
    cv::divide((2 * ab + c1).mul(2 * covariance + c2), means.mul(spreads), similarity);
    return similarity;
}

cv::Mat luma(const cv::Mat &picture) {
    cv::Mat gray;
    cv::cvtColor(picture, gray, cv::COLOR_RGB2GRAY);
    return gray;
}

cv::Mat edges(const cv::Mat &picture) {
    cv::Mat codes, gray, found;
    picture.convertTo(codes, CV_8UC3, 255);
    cv::cvtColor(codes, gray, cv::COLOR_RGB2GRAY);
    cv::Canny(gray, found, 60, 140);
    return found;
}

// Share of `pixels` that lie on or beside one of `others`.
double share_near(const cv::Mat &pixels, const cv::Mat &others) {
    const int count = cv::countNonZero(pixels);
    cv::Mat near;
    cv::dilate(others, near, cv::Mat::ones(3, 3, CV_8U));
    return count == 0 ? 1 : static_cast<double>(cv::countNonZero(pixels & near)) / count;
}

} // namespace

double psnr(const cv::Mat &picture, const cv::Mat &target) {
    check_pair(picture, target, 1);
    const double error = cv::norm(picture, target, cv::NORM_L2SQR) / (3 * static_cast<double>(picture.total()));
    return error > 0 ? std::min(99.0, -10 * std::log10(error)) : 99;
}

double ssim(const cv::Mat &picture, const cv::Mat &target, const cv::Mat &weights) {
    check_pair(picture, target, 11);
    if (!weights.empty() && (weights.type() != CV_32FC1 || weights.size() != picture.size()))
        throw Error(AIANIME_INVALID, "weights of a similarity have the pictures' size");
    cv::Mat similarity;
    for (int channel = 0; channel < 3; channel++) {
        cv::Mat a, b;
        cv::extractChannel(picture, a, channel);
        cv::extractChannel(target, b, channel);
        a.convertTo(a, CV_64F);
        b.convertTo(b, CV_64F);
        similarity = channel == 0 ? channel_ssim(a, b) : cv::Mat(similarity + channel_ssim(a, b));
    }
    if (weights.empty())
        return cv::mean(similarity)[0] / 3;
    cv::Mat by;
    const int edge = (picture.cols - similarity.cols) / 2;
    weights(cv::Rect(edge, edge, similarity.cols, similarity.rows)).convertTo(by, CV_64F);
    const double total = cv::sum(by)[0];
    return total > 0 ? similarity.dot(by) / total / 3 : 0;
}

EdgeMatch edge_match(const cv::Mat &picture, const cv::Mat &target) {
    check_pair(picture, target, 1);
    const cv::Mat found = edges(picture), wanted = edges(target);
    return {share_near(found, wanted), share_near(wanted, found)};
}

double line_density(const cv::Mat &picture) {
    check_picture(picture, 1);
    cv::Mat darker;
    cv::morphologyEx(luma(picture), darker, cv::MORPH_BLACKHAT, cv::Mat::ones(7, 7, CV_8U));
    return static_cast<double>(cv::countNonZero(darker >= 0.15)) / static_cast<double>(picture.total());
}

} // namespace aianime::train
