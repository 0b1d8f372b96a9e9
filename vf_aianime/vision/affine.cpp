// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/affine.h"

#include <algorithm>

#include "vision/rows.h"

namespace aianime::vision {

namespace {

constexpr int spacing = 4; // of the pixels that are looked at

cv::Vec2d apply(const cv::Matx23d &map, double x, double y) { return map * cv::Vec3d(x, y, 1); }

} // namespace

cv::Mat affine_places(const cv::Matx23d &map, cv::Size size) {
    cv::Mat places(size, CV_32FC2);
    for_rows(size.height, [&](int y) {
        auto *out = places.ptr<cv::Vec2f>(y);
        for (int x = 0; x < size.width; x++)
            out[x] = apply(map, x, y);
    });
    return places;
}

cv::Matx23d fit_affine(const cv::Mat &places, const cv::Mat &weight, const cv::Matx23d &otherwise) {
    if (cv::sum(weight)[0] < 0.05 * static_cast<double>(weight.total()))
        return otherwise;
    cv::Matx23d map = otherwise;
    constexpr int rounds = 5;
    for (int round = 0; round < rounds; round++) {
        cv::Matx33d normal = cv::Matx33d::eye() * 1e-6;
        cv::Matx<double, 3, 2> right = cv::Matx<double, 3, 2>::zeros();
        for (int y = 0; y < places.rows; y += spacing)
            for (int x = 0; x < places.cols; x += spacing) {
                const cv::Vec2d place = places.at<cv::Vec2f>(y, x);
                const cv::Vec2d error = place - apply(map, x, y);
                // The first round takes all alike: the motion since the frame before may be large.
                const double share = weight.at<float>(y, x) / (round == 0 ? 1 : 1 + error.dot(error));
                const cv::Vec3d at(x, y, 1);
                normal += share * (at * at.t());
                right += share * (at * place.t());
            }
        map = (normal.inv() * right).t();
    }
    return map;
}

} // namespace aianime::vision
