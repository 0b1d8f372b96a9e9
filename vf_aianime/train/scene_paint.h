// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <vector>

#include "train/random.h"

namespace aianime::train {

// What procedural scenes are painted with. Canvases are CV_32FC3, R G B in [0, 1]; masks CV_32FC1 in [0, 1]; places in pixels.

using Polygon = std::vector<cv::Point2f>;

cv::Scalar from_hsv(double hue, double saturation, double value); // hue in turns
cv::Scalar some_color(Draw &draw, double least_saturation = 0.2, double most_saturation = 0.9);

// Smooth noise in [0, 1] whose largest blots are 1/coarse of the longer side.
cv::Mat clouds(cv::Size size, int coarse, int octaves, Draw &draw);

// From one colour to another, along a direction.
cv::Mat gradient(cv::Size size, const cv::Scalar &from, const cv::Scalar &to, double angle);

cv::Mat polygon_mask(cv::Size size, const Polygon &polygon, double softness = 0);
cv::Mat ellipse_mask(cv::Size size, cv::Point2f center, cv::Size2f radii, double degrees, double softness = 0);

void blend(cv::Mat &canvas, const cv::Mat &mask, const cv::Scalar &color, double opacity = 1);
void blend(cv::Mat &canvas, const cv::Mat &mask, const cv::Mat &colors);
// Multiplies by a factor where the mask is.
void shade(cv::Mat &canvas, const cv::Mat &mask, double factor);

// A lit ellipsoid; light points from it to the lamp.
void paint_ellipsoid(cv::Mat &canvas, cv::Point2f center, cv::Size2f radii, double degrees, const cv::Scalar &color,
                     cv::Vec3d light, double gloss);

// Draws small smooth-edged things with OpenCV, which can do so on bytes only.
template <typename F>
void on_bytes(cv::Mat &canvas, F paint) {
    cv::Mat bytes;
    canvas.convertTo(bytes, CV_8UC3, 255);
    paint(bytes);
    bytes.convertTo(canvas, CV_32FC3, 1 / 255.0);
}

// For drawing on bytes with fractions of pixels.
constexpr int pixel_bits = 4;
cv::Point fixed_point(cv::Point2f place);
std::vector<cv::Point> fixed_points(const Polygon &polygon);

// A quadratic curve in `steps` pieces.
Polygon curve(cv::Point2f from, cv::Point2f over, cv::Point2f to, int steps = 8);

} // namespace aianime::train
