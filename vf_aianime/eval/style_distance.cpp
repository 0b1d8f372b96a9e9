// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/style_distance.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "train/lab.h"

namespace aianime::eval {

namespace {

constexpr double detail = 1 / 30.0; // of the short side: sigma of the blur that leaves colours alone
constexpr double reach = 1 / 60.0;  // of the short side: how far the slope of an edge goes
constexpr int near_side = 5;        // pixels, within which an edge is where the source has one

double part_of(cv::Size size, double part) { return std::max(1.0, part * std::min(size.width, size.height)); }

// Without detail, and small, for there is nothing left between the pixels.
cv::Mat coarse_lab(const cv::Mat &picture, double sigma) {
    cv::Mat blurred, small;
    cv::GaussianBlur(picture, blurred, {}, sigma, sigma, cv::BORDER_REFLECT);
    const auto side = [&](int pixels) { return std::max(1, static_cast<int>(std::lround(pixels / sigma))); };
    cv::resize(blurred, small, {side(picture.cols), side(picture.rows)}, 0, 0, cv::INTER_AREA);
    return train::to_lab(small);
}

double color_distance(const cv::Mat &picture, const cv::Mat &source, double sigma) {
    const cv::Mat a = coarse_lab(picture, sigma), b = coarse_lab(source, sigma);
    double sum = 0;
    for (int y = 0; y < a.rows; y++)
        for (int x = 0; x < a.cols; x++)
            sum += train::delta_e2000(a.at<cv::Vec3f>(y, x), b.at<cv::Vec3f>(y, x));
    return sum / static_cast<double>(a.total());
}

// Length of the gradient of L*, per pixel; a pixel's noise is smoothed first.
cv::Mat slope(const cv::Mat &picture) {
    cv::Mat lightness, across, down, length;
    cv::extractChannel(train::to_lab(picture), lightness, 0);
    cv::GaussianBlur(lightness, lightness, {}, 1, 1, cv::BORDER_REFLECT);
    const cv::Mat difference = (cv::Mat_<float>(1, 3) << -0.5f, 0, 0.5f);
    cv::filter2D(lightness, across, CV_32F, difference, {-1, -1}, 0, cv::BORDER_REFLECT);
    cv::filter2D(lightness, down, CV_32F, difference.t(), {-1, -1}, 0, cv::BORDER_REFLECT);
    cv::magnitude(across, down, length);
    return length;
}

// A change of lightness, so that it is of the same kind as that of colours and the same at any size.
double edge_distance(const cv::Mat &picture, const cv::Mat &source, double pixels) {
    cv::Mat known;
    cv::dilate(slope(source), known, cv::Mat::ones(near_side, near_side, CV_8U));
    const cv::Mat more = cv::max(slope(picture) - known, 0);
    return pixels * cv::mean(more)[0];
}

} // namespace

StyleDistance style_distance(const cv::Mat &picture, const cv::Mat &source) {
    return {color_distance(picture, source, part_of(source.size(), detail)),
            edge_distance(picture, source, part_of(source.size(), reach))};
}

} // namespace aianime::eval
