// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/preprocess.h"

#include "io/error.h"
#include "vision/rows.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <vector>

namespace aianime::vision {
namespace {

void expect_picture(const cv::Mat &rgb) {
    if (rgb.empty() || rgb.type() != CV_32FC3)
        throw Error(AIANIME_INTERNAL, "a control picture is made of something that is no picture of three float channels");
}

cv::Mat eight_bit(const cv::Mat &rgb) {
    cv::Mat codes;
    rgb.convertTo(codes, CV_8U, 255);
    return codes;
}

// A mask of one channel, 0 or 255, as a picture.
cv::Mat picture_of_mask(const cv::Mat &mask) {
    cv::Mat gray, rgb;
    mask.convertTo(gray, CV_32F, 1.0 / 255);
    cv::cvtColor(gray, rgb, cv::COLOR_GRAY2RGB);
    return rgb;
}

cv::Mat blurred(const cv::Mat &rgb, double sigma) {
    cv::Mat out;
    cv::GaussianBlur(rgb, out, cv::Size(), sigma, sigma, cv::BORDER_REFLECT_101);
    return out;
}

} // namespace

cv::Mat canny_edges(const cv::Mat &rgb, double low, double high) {
    expect_picture(rgb);
    cv::Mat edges;
    cv::Canny(eight_bit(rgb), edges, low, high);
    return picture_of_mask(edges);
}

cv::Mat tile_picture(const cv::Mat &rgb, int halvings) {
    expect_picture(rgb);
    std::vector<cv::Size> sizes = {rgb.size()};
    for (int i = 0; i < halvings; i++)
        sizes.emplace_back((sizes.back().width + 1) / 2, (sizes.back().height + 1) / 2);
    cv::Mat out;
    cv::resize(rgb, out, sizes.back(), 0, 0, cv::INTER_AREA);
    for (int i = halvings - 1; i >= 0; i--) {
        cv::Mat larger;
        cv::pyrUp(out, larger, sizes[static_cast<size_t>(i)]);
        out = larger;
    }
    return out;
}

cv::Mat gaussian_blur(const cv::Mat &rgb, double sigma) {
    expect_picture(rgb);
    return blurred(rgb, sigma);
}

cv::Mat scribble_lines(const cv::Mat &rgb, double threshold) {
    expect_picture(rgb);
    const cv::Mat near = blurred(rgb, 0.5), far = blurred(rgb, 5);
    const auto limit = static_cast<float>(threshold / 2 / 255);
    cv::Mat out(rgb.size(), CV_32FC3);
    for_rows(rgb.rows, [&](int y) {
        const auto *inner = near.ptr<cv::Vec3f>(y), *outer = far.ptr<cv::Vec3f>(y);
        auto *line = out.ptr<cv::Vec3f>(y);
        for (int x = 0; x < rgb.cols; x++) {
            const cv::Vec3f darker = outer[x] - inner[x];
            const bool is_line = std::min({darker[0], darker[1], darker[2]}) > limit;
            line[x] = cv::Vec3f::all(is_line ? 1.0f : 0.0f);
        }
    });
    return out;
}

cv::Mat color_grid(const cv::Mat &rgb, int cell) {
    expect_picture(rgb);
    cv::Mat grid, out;
    cv::resize(rgb, grid, cv::Size(std::max(1, rgb.cols / cell), std::max(1, rgb.rows / cell)), 0, 0, cv::INTER_AREA);
    cv::resize(grid, out, rgb.size(), 0, 0, cv::INTER_NEAREST);
    return out;
}

} // namespace aianime::vision
