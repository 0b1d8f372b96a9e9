// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_nature.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/cel_math.h"

namespace aianime::train {
namespace {

// Root mean square of what differs from the mean nearby.
cv::Mat texture(const cv::Mat &lightness, float sigma) {
    const cv::Mat mean = blurred(lightness, sigma);
    cv::Mat out = blurred(lightness.mul(lightness), sigma) - mean.mul(mean);
    out = cv::max(out, 0.f);
    cv::sqrt(out, out);
    return out;
}

cv::Mat lightness_of(const cv::Mat &lab) {
    cv::Mat out;
    cv::extractChannel(lab, out, 0);
    return out;
}

float sky_likeness(const cv::Vec3f &lab) {
    const float blue = soft_step(-lab[2], 3, 12) * soft_step(-std::abs(lab[1]), -26, -16) * soft_step(lab[0], 38, 55);
    const float bright = soft_step(lab[0], 86, 93) * soft_step(-std::hypot(lab[1], lab[2]), -14, -8);
    return std::max(blue, bright);
}

// 1 where edges nearby run in many directions, 0 on parallel strands, which are drawn one by one.
cv::Mat tangle(const cv::Mat &lightness, float sigma) {
    cv::Mat dx, dy;
    cv::Sobel(lightness, dx, CV_32F, 1, 0, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    cv::Sobel(lightness, dy, CV_32F, 0, 1, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    const cv::Mat xx = blurred(dx.mul(dx), sigma), xy = blurred(dx.mul(dy), sigma), yy = blurred(dy.mul(dy), sigma);
    cv::Mat out(lightness.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float a = xx.ptr<float>(y)[x], b = xy.ptr<float>(y)[x], c = yy.ptr<float>(y)[x];
            const float aligned = std::sqrt((a - c) * (a - c) + 4 * b * b) / (a + c + 1e-3f);
            out.ptr<float>(y)[x] = soft_step(-aligned, -0.85f, -0.65f);
        }
    return out;
}

// Mean of the pixels nearby that are in the mask.
cv::Mat mean_within(const cv::Mat &lab, const cv::Mat &mask, float sigma) {
    cv::Mat three, weighted, small, weights;
    cv::merge(std::vector<cv::Mat>{mask, mask, mask}, three);
    const cv::Size size(std::max(1, lab.cols / 4), std::max(1, lab.rows / 4));
    cv::resize(lab.mul(three), small, size, 0, 0, cv::INTER_AREA);
    cv::resize(three, weights, size, 0, 0, cv::INTER_AREA);
    cv::Mat mean = blurred(small, sigma / 4) / (blurred(weights, sigma / 4) + cv::Scalar::all(1e-4));
    cv::resize(mean, weighted, lab.size(), 0, 0, cv::INTER_LINEAR);
    return weighted;
}

} // namespace

cv::Mat sky_mask(const cv::Mat &lab, float scale) {
    const cv::Mat rough = texture(lightness_of(lab), 2.5f * scale);
    cv::Mat out(lab.size(), CV_32FC1);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++)
            out.ptr<float>(y)[x] = sky_likeness(lab.ptr<cv::Vec3f>(y)[x]) * soft_step(-rough.ptr<float>(y)[x], -6, -3);
    out = blurred(out, 1.2f * scale);
    // Not only a blue spot. Where a picture's top edge is must not count: crops of it are learnt from.
    const cv::Mat wide = blurred(out, 10 * scale);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++)
            out.ptr<float>(y)[x] *= soft_step(wide.ptr<float>(y)[x], 0.45f, 0.75f);
    return out;
}

cv::Mat foliage_mask(const cv::Mat &lab, float scale) {
    cv::Mat green(lab.size(), CV_32FC1);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const cv::Vec3f &color = lab.ptr<cv::Vec3f>(y)[x];
            green.ptr<float>(y)[x] = soft_step(-color[1], 3, 9) * soft_step(color[2], 4, 12);
        }
    green = blurred(green, 4 * scale);
    const cv::Mat rough = blurred(texture(lightness_of(lab), 2.5f * scale), 4 * scale);
    const cv::Mat tangled = tangle(lightness_of(lab), 7 * scale);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            float &here = green.ptr<float>(y)[x];
            here = soft_step(here, 0.4f, 0.7f) * soft_step(rough.ptr<float>(y)[x], 4, 8) * tangled.ptr<float>(y)[x];
        }
    return green;
}

cv::Mat with_nature(const cv::Mat &lab, const cv::Mat &sky, const cv::Mat &foliage, float scale) {
    const cv::Mat gradient = mean_within(lab, sky, 9 * scale), leaves = mean_within(lab, foliage, 14 * scale);
    const cv::Mat clumps = blurred(lab, 2.2f * scale);
    cv::Mat out(lab.size(), CV_32FC3);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            cv::Vec3f color = lab.ptr<cv::Vec3f>(y)[x];
            const cv::Vec3f &wide = leaves.ptr<cv::Vec3f>(y)[x];
            cv::Vec3f tones = clumps.ptr<cv::Vec3f>(y)[x];
            tones[0] = wide[0] + 9 * std::tanh((tones[0] - wide[0]) / 5);
            color += 0.75f * foliage.ptr<float>(y)[x] * (tones - color);
            color += sky.ptr<float>(y)[x] * (gradient.ptr<cv::Vec3f>(y)[x] - color);
            out.ptr<cv::Vec3f>(y)[x] = color;
        }
    return out;
}

} // namespace aianime::train
