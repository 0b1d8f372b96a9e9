// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/lab.h"

#include <cmath>

#include "io/error.h"

namespace aianime::train {

namespace {

constexpr double pi = 3.14159265358979323846;

float linear(float sample) { return sample > 0.04045f ? std::pow((sample + 0.055f) / 1.055f, 2.4f) : sample / 12.92f; }

float root(float ratio) { return ratio > 0.008856f ? std::cbrt(ratio) : 7.787f * ratio + 16.f / 116.f; }

// IEC 61966-2-1 to XYZ, divided by the white of D65.
cv::Vec3f lab_of(const cv::Vec3f &rgb) {
    const float r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    const float x = root((0.412453f * r + 0.357580f * g + 0.180423f * b) / 0.95047f);
    const float y = root(0.212671f * r + 0.715160f * g + 0.072169f * b);
    const float z = root((0.019334f * r + 0.119193f * g + 0.950227f * b) / 1.08883f);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double power7(double x) { return std::pow(x, 7); }

double degrees(double a, double b) { return a == 0 && b == 0 ? 0 : std::fmod(std::atan2(b, a) * 180 / pi + 360, 360); }

double cosine(double angle) { return std::cos(angle * pi / 180); }

// h2 - h1 the short way round.
double hue_step(double h1, double h2) {
    const double step = h2 - h1;
    return step > 180 ? step - 360 : step < -180 ? step + 360 : step;
}

} // namespace

cv::Mat to_lab(const cv::Mat &rgb) {
    if (rgb.type() != CV_32FC3)
        throw Error(AIANIME_INVALID, "L*a*b* is made of colour pictures in float");
    cv::Mat lab(rgb.size(), CV_32FC3);
    for (int y = 0; y < rgb.rows; y++)
        for (int x = 0; x < rgb.cols; x++)
            lab.at<cv::Vec3f>(y, x) = lab_of(rgb.at<cv::Vec3f>(y, x));
    return lab;
}

double delta_e76(const cv::Vec3d &a, const cv::Vec3d &b) { return cv::norm(a - b); }

double delta_e2000(const cv::Vec3d &first, const cv::Vec3d &second) {
    const double mean_chroma = (std::hypot(first[1], first[2]) + std::hypot(second[1], second[2])) / 2;
    const double stretch = 1.5 - 0.5 * std::sqrt(power7(mean_chroma) / (power7(mean_chroma) + power7(25)));
    const double a1 = first[1] * stretch, a2 = second[1] * stretch;
    const double c1 = std::hypot(a1, first[2]), c2 = std::hypot(a2, second[2]), c = (c1 + c2) / 2;
    const double h1 = degrees(a1, first[2]), h2 = degrees(a2, second[2]);
    const bool gray = c1 * c2 == 0;
    const double turn = gray ? 0 : hue_step(h1, h2);
    const double hue = gray ? h1 + h2 : std::fmod(h1 + turn / 2 + 360, 360);

    const double light = (first[0] + second[0]) / 2, off = (light - 50) * (light - 50);
    const double t = 1 - 0.17 * cosine(hue - 30) + 0.24 * cosine(2 * hue) + 0.32 * cosine(3 * hue + 6) - 0.2 * cosine(4 * hue - 63);
    const double dl = (second[0] - first[0]) / (1 + 0.015 * off / std::sqrt(20 + off));
    const double dc = (c2 - c1) / (1 + 0.045 * c);
    const double dh = 2 * std::sqrt(c1 * c2) * std::sin(turn / 2 * pi / 180) / (1 + 0.015 * c * t);
    const double bump = std::exp(-((hue - 275) / 25) * ((hue - 275) / 25));
    const double rotation = -2 * std::sqrt(power7(c) / (power7(c) + power7(25))) * std::sin(60 * bump * pi / 180);
    return std::sqrt(dl * dl + dc * dc + dh * dh + rotation * dc * dh);
}

cv::Vec3d mean_lab(const cv::Mat &lab, const cv::Mat &weights) {
    if (lab.type() != CV_32FC3 || (!weights.empty() && (weights.size() != lab.size() || weights.channels() != 1)))
        throw Error(AIANIME_INVALID, "the mean of a L*a*b* picture takes one weight a pixel");
    cv::Mat weight;
    if (!weights.empty())
        weights.convertTo(weight, CV_32F);
    cv::Vec3d sum;
    double total = 0;
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const double w = weight.empty() ? 1 : static_cast<double>(weight.at<float>(y, x));
            sum += w * cv::Vec3d(lab.at<cv::Vec3f>(y, x));
            total += w;
        }
    return total > 0 ? sum / total : cv::Vec3d();
}

double color_spread(const std::vector<cv::Vec3d> &colors) {
    double sum = 0;
    size_t pairs = 0;
    for (size_t i = 0; i < colors.size(); i++)
        for (size_t j = 0; j < i; j++, pairs++)
            sum += delta_e76(colors[i], colors[j]);
    return pairs == 0 ? 0 : sum / static_cast<double>(pairs);
}

} // namespace aianime::train
