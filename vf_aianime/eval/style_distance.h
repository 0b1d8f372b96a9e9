// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::eval {

// How far a picture is from the source it was made of, as differences of colour as CIEDE2000 counts them. A blurred source is near.
struct StyleDistance {
    double color; // mean CIEDE2000 of both pictures without their detail
    double edges; // lightness by which edges were drawn or made steeper; those that were lost do not count
    double total() const { return color + edges; }
};
// CV_32FC3, R G B in [0, 1], of one size.
StyleDistance style_distance(const cv::Mat &picture, const cv::Mat &source);

} // namespace aianime::eval
