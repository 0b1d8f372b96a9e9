// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/buckets.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::train {

namespace {

double area(cv::Size size) { return static_cast<double>(size.width) * size.height; }

// How much of the picture is left when it is cut to the bucket's shape.
double left_after_cut(cv::Size picture, cv::Size bucket) {
    const double across = static_cast<double>(bucket.width) * picture.height,
                 down = static_cast<double>(bucket.height) * picture.width;
    return std::min(across, down) / std::max(across, down);
}

} // namespace

cv::Size choose_bucket(cv::Size picture, int side, int step) {
    const double room = static_cast<double>(side) * side;
    cv::Size best;
    double best_kept = 0;
    for (int width = step; width <= std::min(picture.width, 2 * side); width += step)
        for (int height = step; height <= std::min(picture.height, 2 * side); height += step) {
            const cv::Size bucket(width, height);
            if (area(bucket) > room)
                break;
            const double kept = left_after_cut(picture, bucket) * area(bucket) / std::min(room, area(picture));
            if (kept > best_kept) {
                best_kept = kept;
                best = bucket;
            }
        }
    return best;
}

cv::Mat fit_bucket(const cv::Mat &picture, cv::Size bucket) {
    const double scale =
        std::max(static_cast<double>(bucket.width) / picture.cols, static_cast<double>(bucket.height) / picture.rows);
    const cv::Size size(std::max(bucket.width, static_cast<int>(std::lround(picture.cols * scale))),
                        std::max(bucket.height, static_cast<int>(std::lround(picture.rows * scale))));
    cv::Mat scaled = picture;
    if (size != picture.size())
        cv::resize(picture, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
    return scaled({(size.width - bucket.width) / 2, (size.height - bucket.height) / 2, bucket.width, bucket.height}).clone();
}

} // namespace aianime::train
