// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/eye_state.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aianime::vision {

namespace {

constexpr float corners_apart = 30; // in a patch
constexpr float most_evidence = 3;  // so that one eye behind a hand does not outweigh the other

cv::Mat brightness(const cv::Mat &rgb) {
    cv::Mat grey;
    cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
    grey.convertTo(grey, CV_32F, grey.depth() == CV_8U ? 1 : 255);
    return grey;
}

float evidence_of(const cv::Mat &rgb, const FacePoints &points, size_t first, bool mirrored) {
    const std::array<float, eye_features> features = eye_histograms(eye_patch(rgb, points[first], points[first + 3], mirrored));
    const float odds = std::inner_product(features.begin(), features.end(), eye_weights.begin(), eye_constant);
    return std::clamp(odds, -most_evidence, most_evidence);
}

float width_of(const FacePoints &points, size_t first) {
    const cv::Point2f across = points[first + 3] - points[first];
    return std::hypot(across.x, across.y);
}

} // namespace

cv::Mat eye_patch(const cv::Mat &rgb, const cv::Point2f &left, const cv::Point2f &right, bool mirrored) {
    const cv::Point2f across = right - left, middle = (left + right) * 0.5f;
    const float length = std::max(std::hypot(across.x, across.y), 1e-3f);
    // A large eye is sampled finer, then averaged.
    const int finer = std::clamp(static_cast<int>(length / corners_apart), 1, 16);
    const float step = length / corners_apart / static_cast<float>(finer);
    const cv::Point2f u = across * (step / length), v(-u.y, u.x);
    const cv::Size size(eye_patch_width * finer, eye_patch_height * finer);
    const cv::Point2f half(static_cast<float>(size.width - 1) / 2, static_cast<float>(size.height - 1) / 2);
    const cv::Point2f corner = middle - u * half.x - v * half.y;
    const cv::Matx23f map(u.x, v.x, corner.x, u.y, v.y, corner.y);
    cv::Mat cut, patch;
    cv::warpAffine(rgb, cut, map, size, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
    cv::resize(brightness(cut), patch, {eye_patch_width, eye_patch_height}, 0, 0, cv::INTER_AREA);
    if (mirrored)
        cv::flip(patch, patch, 1);
    return patch;
}

std::array<float, eye_features> eye_histograms(const cv::Mat &patch) {
    cv::Mat soft, across, down;
    cv::GaussianBlur(patch, soft, {9, 9}, 1);
    cv::Sobel(soft, across, CV_32F, 1, 0);
    cv::Sobel(soft, down, CV_32F, 0, 1);
    std::array<float, eye_features> features{};
    constexpr int cell_width = eye_patch_width / eye_cells_across, cell_height = eye_patch_height / eye_cells_down;
    for (int y = 0; y < patch.rows; y++)
        for (int x = 0; x < patch.cols; x++) {
            const float dx = across.at<float>(y, x), dy = down.at<float>(y, x);
            float way = std::atan2(dy, dx) / static_cast<float>(2 * CV_PI) * eye_directions;
            way += way < 0 ? eye_directions : 0;
            const float share = way - std::floor(way), strength = std::hypot(dx, dy) / (cell_width * cell_height);
            const int low = static_cast<int>(way) % eye_directions, high = (low + 1) % eye_directions;
            float *cell = &features[static_cast<size_t>((y / cell_height * eye_cells_across + x / cell_width) * eye_directions)];
            cell[low] += (1 - share) * strength;
            cell[high] += share * strength;
        }
    const float squares = std::inner_product(features.begin(), features.end(), features.begin(), 1.0f);
    for (float &feature : features)
        feature = std::sqrt(feature / std::sqrt(squares));
    return features;
}

float eyes_evidence(const cv::Mat &rgb, const FacePoints &points) {
    const float left = width_of(points, 36), right = width_of(points, 42), widest = std::max(left, right);
    constexpr float least = 4, enough = 8; // pixels of an eye's width
    const float trust = std::clamp((widest - least) / (enough - least), 0.0f, 1.0f);
    if (trust <= 0)
        return 0;
    if (left < right / 2)
        return trust * evidence_of(rgb, points, 42, true);
    if (right < left / 2)
        return trust * evidence_of(rgb, points, 36, false);
    return trust * (evidence_of(rgb, points, 36, false) + evidence_of(rgb, points, 42, true)) / 2;
}

bool eyes_open(float evidence, bool before) { return evidence > (before ? -0.4f : 0.4f); }

} // namespace aianime::vision
