// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <cstddef>
#include <vector>

namespace aianime::train {

// Colour statistics of a picture (CV_32FC3, R G B in [0, 1]) that tell styles apart whatever it shows: mean colour and chroma of
// its four quarters from dark to bright, contrast, and the hues that its chroma is spread over.
std::vector<double> color_features(const cv::Mat &picture);

// Which style a picture has, told from its colour statistics: nearest class mean in the classes' common covariance (linear
// discriminant analysis with a shrunken covariance, all classes equally likely).
class StyleProbe {
public:
    // The features of examples and their classes 0, 1, ... Throws Error (INVALID) for fewer than two classes, or two examples of
    // one.
    StyleProbe(const std::vector<std::vector<double>> &features, const std::vector<size_t> &classes);
    size_t classify(const std::vector<double> &features) const;

private:
    cv::Mat directions_; // CV_64FC1 [classes, features]
    cv::Mat offsets_;    // [classes, 1]
};

} // namespace aianime::train
