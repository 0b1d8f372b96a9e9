// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/working_size.h"

#include "io/error.h"
#include "vision/rows.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace aianime::vision {
namespace {

constexpr int64_t longest_side = 32767; // what cv::remap can address

int64_t scaled_side(int side, int short_source, int short_side) {
    if (short_side == 0)
        return side;
    return std::max<int64_t>(1, std::llround(static_cast<double>(side) * short_side / short_source));
}

int64_t padded_side(int64_t side, int stride) { return (side + stride - 1) / stride * stride; }

bool is_larger(cv::Size from, cv::Size to) { return to.width > from.width || to.height > from.height; }

cv::Mat resized(const cv::Mat &picture, cv::Size size, int enlarging) {
    if (picture.size() == size)
        return picture;
    cv::Mat out;
    cv::resize(picture, out, size, 0, 0, is_larger(picture.size(), size) ? enlarging : cv::INTER_AREA);
    return out;
}

// cv::min and cv::max with a scalar take a picture of one pixel for the scalar.
cv::Mat clipped(const cv::Mat &picture) {
    cv::Mat out(picture.size(), picture.type());
    for_rows(picture.rows, [&](int y) {
        const float *in = picture.ptr<float>(y), *end = in + picture.cols * picture.channels();
        std::transform(in, end, out.ptr<float>(y), [](float value) { return std::clamp(value, 0.0f, 1.0f); });
    });
    return out;
}

void expect_size(const cv::Mat &picture, cv::Size size) {
    if (picture.size() != size)
        throw Error(AIANIME_INTERNAL, "a picture of " + std::to_string(picture.cols) + "x" + std::to_string(picture.rows) +
                                          " came where " + std::to_string(size.width) + "x" + std::to_string(size.height) +
                                          " was planned");
}

} // namespace

WorkingSize working_size(cv::Size source, int short_side, int stride, int64_t max_pixels) {
    if (source.width < 1 || source.height < 1 || short_side < 0 || stride < 1)
        throw Error(AIANIME_INTERNAL, "working_size: sizes must be positive");
    const int short_source = std::min(source.width, source.height);
    const int64_t width = scaled_side(source.width, short_source, short_side);
    const int64_t height = scaled_side(source.height, short_source, short_side);
    const int64_t padded_width = padded_side(width, stride), padded_height = padded_side(height, stride);
    if (std::max(padded_width, padded_height) > longest_side || padded_width * padded_height > max_pixels)
        throw Error(AIANIME_OUT_OF_RANGE, "a picture of " + std::to_string(source.width) + "x" + std::to_string(source.height) +
                                              " would be worked on at " + std::to_string(padded_width) + "x" +
                                              std::to_string(padded_height) + "; the limit is " + std::to_string(max_pixels) +
                                              " pixels and " + std::to_string(longest_side) +
                                              " a side: set a smaller size, or scale it down in front");
    return {source, cv::Size(static_cast<int>(width), static_cast<int>(height)),
            cv::Size(static_cast<int>(padded_width), static_cast<int>(padded_height))};
}

cv::Mat at_most(const cv::Mat &picture, int short_side) {
    const int shorter = std::min(picture.cols, picture.rows);
    if (shorter <= short_side)
        return picture;
    const double scale = static_cast<double>(short_side) / shorter;
    return resized(picture, {std::max(cvRound(picture.cols * scale), 1), std::max(cvRound(picture.rows * scale), 1)},
                   cv::INTER_AREA);
}

cv::Mat to_working(const cv::Mat &picture, const WorkingSize &size) {
    expect_size(picture, size.source);
    const cv::Mat scaled = resized(picture, size.scaled, cv::INTER_CUBIC);
    cv::Mat padded;
    cv::copyMakeBorder(scaled, padded, 0, size.padded.height - size.scaled.height, 0, size.padded.width - size.scaled.width,
                       cv::BORDER_REFLECT_101);
    return padded;
}

cv::Mat crop_working(const cv::Mat &picture, const WorkingSize &size) {
    expect_size(picture, size.padded);
    return picture(cv::Rect(cv::Point(0, 0), size.scaled));
}

cv::Mat from_working(const cv::Mat &picture, const WorkingSize &size) {
    expect_size(picture, size.scaled);
    return clipped(resized(picture, size.source, cv::INTER_LANCZOS4));
}

} // namespace aianime::vision
