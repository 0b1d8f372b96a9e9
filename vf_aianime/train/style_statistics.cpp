// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_statistics.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "train/lab.h"
#include "train/measures.h"

namespace aianime::train {

StyleStatistics style_statistics(const cv::Mat &picture) {
    const cv::Mat lab = to_lab(picture);
    StyleStatistics result;
    result.lines = line_density(picture);
    double light = 0, squares = 0, chroma = 0;
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const cv::Vec3d color = lab.at<cv::Vec3f>(y, x);
            const double strength = std::hypot(color[1], color[2]);
            light += color[0];
            squares += color[0] * color[0];
            chroma += strength;
            const double turn = std::atan2(color[2], color[1]) / (2 * CV_PI); // -0.5 to 0.5
            result.hues[static_cast<size_t>(std::floor((turn < 0 ? turn + 1 : turn) * 12)) % 12] += strength;
        }
    const auto pixels = static_cast<double>(lab.total());
    result.luminance = light / pixels;
    result.contrast = std::sqrt(std::max(0.0, squares / pixels - result.luminance * result.luminance));
    result.chroma = chroma / pixels;
    for (double &hue : result.hues)
        hue = result.chroma > 0.5 ? hue / chroma : 0; // below that it is rounding
    return result;
}

StyleStatistics mean_statistics(const std::vector<StyleStatistics> &statistics) {
    if (statistics.empty())
        throw Error(AIANIME_INVALID, "style statistics of no pictures");
    StyleStatistics mean;
    double chroma = 0;
    for (const StyleStatistics &one : statistics) {
        mean.luminance += one.luminance;
        mean.contrast += one.contrast;
        mean.chroma += one.chroma;
        mean.lines += one.lines;
        for (size_t i = 0; i < one.hues.size(); i++) {
            mean.hues[i] += one.chroma * one.hues[i];
            chroma += one.chroma * one.hues[i];
        }
    }
    const auto count = static_cast<double>(statistics.size());
    mean.luminance /= count;
    mean.contrast /= count;
    mean.chroma /= count;
    mean.lines /= count;
    for (double &hue : mean.hues)
        hue = chroma > 0 ? hue / chroma : 0;
    return mean;
}

double style_distance(const StyleStatistics &after, const StyleStatistics &target) {
    const auto relative = [](double a, double b, double least) { return std::abs(a - b) / std::max(b, least); };
    return std::max({relative(after.luminance, target.luminance, 5), relative(after.chroma, target.chroma, 5),
                     relative(after.lines, target.lines, 0.01)});
}

double hue_distance(const StyleStatistics &a, const StyleStatistics &b) {
    double sum = 0;
    for (size_t i = 0; i < a.hues.size(); i++)
        sum += std::abs(a.hues[i] - b.hues[i]);
    return sum / 2;
}

} // namespace aianime::train
