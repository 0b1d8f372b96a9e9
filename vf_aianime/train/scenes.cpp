// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/scenes.h"

#include <algorithm>
#include <cmath>

#include "train/scene_paint.h"
#include "train/scene_parts.h"

namespace aianime::train {

namespace {

void paint_backdrop(cv::Mat &canvas, Draw &draw) {
    const int64_t kind = draw.below(4);
    if (kind == 0) {
        paint_wall(canvas, draw);
    } else if (kind == 1) {
        paint_foliage(canvas, {0, 0, canvas.cols, canvas.rows}, draw);
    } else if (kind == 2) {
        cloth(canvas.size(), draw).copyTo(canvas);
    } else {
        paint_sky(canvas, draw);
        const int horizon = static_cast<int>(draw.between(0.45, 0.8) * canvas.rows);
        if (draw.chance(0.5))
            paint_foliage(canvas, {0, horizon - canvas.rows / 6, canvas.cols, canvas.rows / 5}, draw);
        paint_ground(canvas, horizon, draw);
    }
}

// Out of focus, as a lens shows what is far: bright spots become discs.
void defocus(cv::Mat &canvas, double radius) {
    if (radius < 0.7)
        return;
    cv::Mat disc = ellipse_mask({2 * cvCeil(radius) + 1, 2 * cvCeil(radius) + 1},
                                {std::ceil(float(radius)), std::ceil(float(radius))}, {float(radius), float(radius)}, 0);
    disc /= cv::sum(disc)[0];
    cv::Mat light;
    cv::pow(canvas, 2.2, light);
    cv::filter2D(light, light, -1, disc, {-1, -1}, 0, cv::BORDER_REFLECT);
    cv::max(light, 0, light);
    cv::pow(light, 1 / 2.2, canvas);
}

// Vignette, a lens that is not quite sharp, noise.
void photograph(cv::Mat &canvas, Draw &draw) {
    const double sharpness = draw.between(0, 0.9), noise = draw.between(0, 0.02), corners = draw.between(0, 0.35);
    if (sharpness > 0.3)
        cv::GaussianBlur(canvas, canvas, {}, sharpness);
    const double w = canvas.cols / 2.0, h = canvas.rows / 2.0;
    for (int y = 0; y < canvas.rows; y++)
        for (int x = 0; x < canvas.cols; x++) {
            const double far = (std::pow((x - w) / w, 2) + std::pow((y - h) / h, 2)) / 2;
            for (int c = 0; c < 3; c++) {
                float &value = canvas.at<cv::Vec3f>(y, x)[c];
                const double grain = noise * (draw.unit() + draw.unit() + draw.unit() - 1.5) * 2;
                value = static_cast<float>(std::clamp(value * (1 - corners * far) + grain, 0.0, 1.0));
            }
        }
}

} // namespace

cv::Mat procedural_scene(uint64_t seed, cv::Size size) {
    Draw draw(mix(seed, 0x5CE7E));
    cv::Mat canvas(size, CV_32FC3, cv::Scalar::all(0.5));
    const double from = draw.between(-0.8, 0.8);
    const Light light{cv::normalize(cv::Vec3d(from, -0.6, 0.7))};
    paint_backdrop(canvas, draw);
    if (draw.chance(0.4))
        paint_solids(canvas, 1 + static_cast<int>(draw.below(5)), light, draw);
    if (draw.chance(0.25))
        paint_sign(canvas, draw);
    const auto side = static_cast<float>(std::min(size.width, size.height));
    defocus(canvas, draw.chance(0.6) ? draw.between(0.005, 0.03) * side : 0);
    if (draw.chance(0.7)) {
        const int64_t people = draw.chance(0.75) ? 1 : 2;
        for (int64_t i = 0; i < people; i++) {
            const float radius = static_cast<float>(people == 1 ? draw.between(0.14, 0.34) : draw.between(0.1, 0.18)) * side;
            const double x = people == 1 ? draw.between(0.3, 0.7) : draw.between(0.15, 0.4) + 0.45 * static_cast<double>(i);
            const double y = draw.between(0.3, 0.5);
            paint_person(canvas, {static_cast<float>(x * size.width), static_cast<float>(y * size.height)}, radius, light, draw);
        }
    } else {
        paint_solids(canvas, 1 + static_cast<int>(draw.below(4)), light, draw);
        if (draw.chance(0.5))
            paint_sign(canvas, draw);
    }
    if (draw.chance(0.2))
        paint_foliage(canvas, {0, size.height * 3 / 4, size.width, size.height / 4}, draw);
    photograph(canvas, draw);
    return canvas;
}

} // namespace aianime::train
