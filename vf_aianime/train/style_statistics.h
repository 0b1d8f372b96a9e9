// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>
#include <vector>

namespace aianime::train {

// What a style is in numbers. Pictures are CV_32FC3, R G B in [0, 1].
struct StyleStatistics {
    double luminance = 0; // mean of L*, 0 to 100
    double contrast = 0;  // its standard deviation
    double chroma = 0;    // mean of C*
    double lines = 0;     // line_density()
    // How chroma is spread over hues, from 0 degrees in steps of 30; sums to 1, all 0 where nothing has colour.
    std::array<double, 12> hues{};
};
StyleStatistics style_statistics(const cv::Mat &picture);

// Of several pictures; luminance, contrast, chroma and lines are averaged, hues with their picture's chroma as weight.
StyleStatistics mean_statistics(const std::vector<StyleStatistics> &statistics);

// How far `after` is from `target`: the largest of the relative differences of luminance, chroma and lines. The base of each is
// the target's value, but at least 5 (of 100), 5 and 0.01: what is nearly nothing is not divided by.
double style_distance(const StyleStatistics &after, const StyleStatistics &target);
// Share of the chroma that would have to change its hue, 0 to 1.
double hue_distance(const StyleStatistics &a, const StyleStatistics &b);

} // namespace aianime::train
