// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_probe.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "io/error.h"
#include "train/lab.h"
#include "train/style_statistics.h"

namespace aianime::train {

namespace {

constexpr double shrinkage = 0.2; // of correlations: few examples do not tell them well

// Bounds between the quarters of the values.
std::array<float, 3> quartiles(const cv::Mat &plane) {
    std::vector<float> values(plane.begin<float>(), plane.end<float>());
    std::array<float, 3> bounds{};
    for (size_t i = 0; i < 3; i++) {
        const auto at = values.begin() + static_cast<std::ptrdiff_t>((i + 1) * values.size() / 4);
        std::nth_element(values.begin(), at, values.end());
        bounds[i] = *at;
    }
    return bounds;
}

// Rows of examples; means of classes are taken off in place and returned, [classes, features].
cv::Mat take_off_means(cv::Mat rows, const std::vector<size_t> &classes, int count) {
    cv::Mat means = cv::Mat::zeros(count, rows.cols, CV_64F), sizes = cv::Mat::zeros(count, 1, CV_64F);
    for (int i = 0; i < rows.rows; i++) {
        means.row(static_cast<int>(classes[i])) += rows.row(i);
        sizes.at<double>(static_cast<int>(classes[i])) += 1;
    }
    for (int i = 0; i < count; i++) {
        if (sizes.at<double>(i) < 2)
            throw Error(AIANIME_INVALID, "a probe needs two examples of every style");
        means.row(i) /= sizes.at<double>(i);
    }
    for (int i = 0; i < rows.rows; i++)
        rows.row(i) -= means.row(static_cast<int>(classes[i]));
    return means;
}

} // namespace

std::vector<double> color_features(const cv::Mat &picture) {
    const cv::Mat lab = to_lab(picture);
    cv::Mat light;
    cv::extractChannel(lab, light, 0);
    const std::array<float, 3> bounds = quartiles(light);
    std::array<cv::Vec4d, 4> sums{};
    std::array<double, 4> sizes{};
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const cv::Vec3d color = lab.at<cv::Vec3f>(y, x);
            const auto quarter = static_cast<size_t>(
                std::count_if(bounds.begin(), bounds.end(), [&](float bound) { return color[0] > static_cast<double>(bound); }));
            sums[quarter] += cv::Vec4d(color[0], color[1], color[2], std::hypot(color[1], color[2]));
            sizes[quarter] += 1;
        }
    std::vector<double> features;
    for (size_t i = 0; i < sums.size(); i++)
        for (int j = 0; j < 4; j++)
            features.push_back(sizes[i] > 0 ? sums[i][j] / sizes[i] : 0);
    const StyleStatistics statistics = style_statistics(picture);
    features.push_back(statistics.contrast);
    features.insert(features.end(), statistics.hues.begin(), statistics.hues.end());
    return features;
}

StyleProbe::StyleProbe(const std::vector<std::vector<double>> &features, const std::vector<size_t> &classes) {
    if (features.empty() || features.size() != classes.size())
        throw Error(AIANIME_INVALID, "a probe needs one style for every example");
    const int count = static_cast<int>(*std::max_element(classes.begin(), classes.end())) + 1;
    if (count < 2)
        throw Error(AIANIME_INVALID, "a probe needs two styles to tell apart");
    const int width = static_cast<int>(features[0].size());
    cv::Mat rows(0, width, CV_64F);
    for (const std::vector<double> &example : features)
        rows.push_back(cv::Mat(example).reshape(1, 1));
    const cv::Mat means = take_off_means(rows, classes, count);

    cv::Mat covariance = rows.t() * rows / std::max(1, rows.rows - count);
    const cv::Mat own = cv::Mat::diag(cv::Mat(covariance.diag() + 1e-6));
    covariance = (1 - shrinkage) * covariance + shrinkage * own;
    cv::Mat solved;
    cv::solve(covariance, means.t(), solved, cv::DECOMP_SVD);
    directions_ = solved.t();
    cv::reduce(directions_.mul(means), offsets_, 1, cv::REDUCE_SUM);
    offsets_ /= -2;
}

size_t StyleProbe::classify(const std::vector<double> &features) const {
    if (static_cast<int>(features.size()) != directions_.cols)
        throw Error(AIANIME_INVALID, "the probe was made from other features");
    const cv::Mat scores = directions_ * cv::Mat(features) + offsets_;
    cv::Point best;
    cv::minMaxLoc(scores, nullptr, nullptr, nullptr, &best);
    return static_cast<size_t>(best.y);
}

} // namespace aianime::train
