// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/scene_paint.h"

#include <algorithm>
#include <cmath>

namespace aianime::train {

cv::Scalar from_hsv(double hue, double saturation, double value) {
    const auto part = [&](double n) {
        const double k = std::fmod(n + (hue - std::floor(hue)) * 6, 6);
        return value * (1 - saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
    };
    return {part(5), part(3), part(1)};
}

cv::Scalar some_color(Draw &draw, double least_saturation, double most_saturation) {
    const double hue = draw.unit(), saturation = draw.between(least_saturation, most_saturation);
    return from_hsv(hue, saturation, draw.between(0.25, 0.95));
}

cv::Mat clouds(cv::Size size, int coarse, int octaves, Draw &draw) {
    cv::Mat sum = cv::Mat::zeros(size, CV_32FC1);
    double weight = 1, total = 0;
    for (int octave = 0; octave < octaves; octave++, coarse *= 2, weight /= 2) {
        const double scale = static_cast<double>(coarse) / std::max(size.width, size.height);
        cv::Mat grid(static_cast<int>(size.height * scale) + 2, static_cast<int>(size.width * scale) + 2, CV_32FC1), wide;
        for (int y = 0; y < grid.rows; y++)
            for (int x = 0; x < grid.cols; x++)
                grid.at<float>(y, x) = static_cast<float>(draw.unit());
        cv::resize(grid, wide, size, 0, 0, cv::INTER_CUBIC);
        cv::scaleAdd(wide, weight, sum, sum);
        total += weight;
    }
    sum *= 1 / total;
    cv::max(sum, 0, sum);
    cv::min(sum, 1, sum);
    return sum;
}

cv::Mat gradient(cv::Size size, const cv::Scalar &from, const cv::Scalar &to, double angle) {
    cv::Mat canvas(size, CV_32FC3);
    const double dx = std::cos(angle), dy = std::sin(angle);
    const double reach = (std::abs(dx) * size.width + std::abs(dy) * size.height) / 2;
    for (int y = 0; y < size.height; y++)
        for (int x = 0; x < size.width; x++) {
            const double along = (dx * (x - size.width / 2.0) + dy * (y - size.height / 2.0)) / reach;
            const double t = std::clamp((along + 1) / 2, 0.0, 1.0);
            for (int c = 0; c < 3; c++)
                canvas.at<cv::Vec3f>(y, x)[c] = static_cast<float>(from[c] + (to[c] - from[c]) * t);
        }
    return canvas;
}

cv::Point fixed_point(cv::Point2f place) {
    constexpr float unit = 1 << pixel_bits;
    return {cvRound(place.x * unit), cvRound(place.y * unit)};
}

std::vector<cv::Point> fixed_points(const Polygon &polygon) {
    std::vector<cv::Point> points;
    for (const cv::Point2f &place : polygon)
        points.push_back(fixed_point(place));
    return points;
}

namespace {

cv::Mat as_mask(const cv::Mat &bytes, double softness) {
    cv::Mat mask;
    bytes.convertTo(mask, CV_32FC1, 1 / 255.0);
    if (softness > 0)
        cv::GaussianBlur(mask, mask, {}, softness);
    return mask;
}

} // namespace

cv::Mat polygon_mask(cv::Size size, const Polygon &polygon, double softness) {
    cv::Mat bytes = cv::Mat::zeros(size, CV_8UC1);
    cv::fillPoly(bytes, std::vector<std::vector<cv::Point>>{fixed_points(polygon)}, 255, cv::LINE_AA, pixel_bits);
    return as_mask(bytes, softness);
}

cv::Mat ellipse_mask(cv::Size size, cv::Point2f center, cv::Size2f radii, double degrees, double softness) {
    cv::Mat bytes = cv::Mat::zeros(size, CV_8UC1);
    const cv::Point fixed = fixed_point({radii.width, radii.height});
    cv::ellipse(bytes, fixed_point(center), {std::max(fixed.x, 1), std::max(fixed.y, 1)}, degrees, 0, 360, 255, cv::FILLED,
                cv::LINE_AA, pixel_bits);
    return as_mask(bytes, softness);
}

void blend(cv::Mat &canvas, const cv::Mat &mask, const cv::Mat &colors) {
    for (int y = 0; y < canvas.rows; y++)
        for (int x = 0; x < canvas.cols; x++) {
            const float much = std::min(mask.at<float>(y, x), 1.0f);
            if (much > 0)
                canvas.at<cv::Vec3f>(y, x) += (colors.at<cv::Vec3f>(y, x) - canvas.at<cv::Vec3f>(y, x)) * much;
        }
}

void blend(cv::Mat &canvas, const cv::Mat &mask, const cv::Scalar &color, double opacity) {
    blend(canvas, mask * opacity, cv::Mat(canvas.size(), CV_32FC3, color));
}

void shade(cv::Mat &canvas, const cv::Mat &mask, double factor) { blend(canvas, mask, canvas * factor); }

void paint_ellipsoid(cv::Mat &canvas, cv::Point2f center, cv::Size2f radii, double degrees, const cv::Scalar &color,
                     cv::Vec3d light, double gloss) {
    const double turn = degrees * CV_PI / 180, cosine = std::cos(turn), sine = std::sin(turn);
    const double reach = std::max(radii.width, radii.height) + 2, edge = std::min(radii.width, radii.height);
    const cv::Vec3d lamp = light / cv::norm(light), half = lamp + cv::Vec3d(0, 0, 1), middle = half / cv::norm(half);
    const cv::Rect box =
        cv::Rect(cvFloor(center.x - reach), cvFloor(center.y - reach), cvCeil(2 * reach) + 1, cvCeil(2 * reach) + 1) &
        cv::Rect({}, canvas.size());
    for (int y = box.y; y < box.br().y; y++)
        for (int x = box.x; x < box.br().x; x++) {
            const double dx = x - center.x, dy = y - center.y;
            const double u = (dx * cosine + dy * sine) / radii.width, v = (dy * cosine - dx * sine) / radii.height;
            const double square = u * u + v * v, alpha = std::clamp((1 - std::sqrt(square)) * edge + 0.5, 0.0, 1.0);
            if (alpha <= 0)
                continue;
            const cv::Vec3d normal(u * cosine - v * sine, u * sine + v * cosine, std::sqrt(std::max(1 - square, 0.0)));
            const double lit = 0.35 + 0.75 * std::max(normal.dot(lamp), 0.0);
            const double glint = gloss * std::pow(std::max(normal.dot(middle), 0.0), 40);
            cv::Vec3f &pixel = canvas.at<cv::Vec3f>(y, x);
            for (int c = 0; c < 3; c++)
                pixel[c] += static_cast<float>((std::min(color[c] * lit + glint, 1.0) - pixel[c]) * alpha);
        }
}

Polygon curve(cv::Point2f from, cv::Point2f over, cv::Point2f to, int steps) {
    Polygon places;
    for (int i = 0; i <= steps; i++) {
        const float t = static_cast<float>(i) / static_cast<float>(steps);
        places.push_back(from * ((1 - t) * (1 - t)) + over * (2 * t * (1 - t)) + to * (t * t));
    }
    return places;
}

} // namespace aianime::train
