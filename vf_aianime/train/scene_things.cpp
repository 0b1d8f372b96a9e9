// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>

#include "train/scene_paint.h"
#include "train/scene_parts.h"

namespace aianime::train {

namespace {

cv::Scalar times(const cv::Scalar &color, double factor) {
    return {std::min(color[0] * factor, 1.0), std::min(color[1] * factor, 1.0), std::min(color[2] * factor, 1.0)};
}

cv::Point2f somewhere(cv::Size size, Draw &draw) {
    const double x = draw.between(0, size.width);
    return {static_cast<float>(x), static_cast<float>(draw.between(0, size.height))};
}

// A pointed leaf around its middle.
Polygon leaf(cv::Point2f middle, double length, double angle) {
    const cv::Point2f along(static_cast<float>(std::cos(angle) * length), static_cast<float>(std::sin(angle) * length));
    const cv::Point2f across(-along.y * 0.45f, along.x * 0.45f);
    Polygon outline = curve(middle - along, middle + across, middle + along, 5);
    const Polygon back = curve(middle + along, middle - across, middle - along, 5);
    outline.insert(outline.end(), back.begin() + 1, back.end() - 1);
    return outline;
}

void paint_shadow(cv::Mat &canvas, cv::Point2f center, cv::Size2f radii) {
    shade(canvas, ellipse_mask(canvas.size(), center, radii, 0, std::max(1.0f, radii.height * 0.35f)), 0.45);
}

void paint_box(cv::Mat &canvas, cv::Point2f at, float side, const cv::Scalar &color, const Light &light, Draw &draw) {
    const auto slant = static_cast<float>(draw.between(0.2, 0.5)) * side,
               height = static_cast<float>(draw.between(0.6, 1.6)) * side;
    const cv::Point2f right(side, slant * 0.3f), left(-slant * 1.6f, slant * 0.5f), up(0, -height);
    const double lit = light.direction[0] > 0 ? 0.8 : 0.5;
    const auto quad = [&](const cv::Point2f &a, const cv::Point2f &b, const cv::Point2f &from, double factor) {
        blend(canvas, polygon_mask(canvas.size(), {from, from + a, from + a + b, from + b}), times(color, factor));
    };
    quad(right, up, at, lit);
    quad(left, up, at, 1.25 - lit);
    quad(right, left, at + up, 1.15);
}

void paint_cylinder(cv::Mat &canvas, cv::Point2f at, float radius, const cv::Scalar &color, const Light &light, Draw &draw) {
    const auto height = static_cast<float>(draw.between(1.5, 4)) * radius;
    const cv::Size2f lid(radius, radius * 0.3f);
    const cv::Point2f top(at.x, at.y - height);
    cv::Mat mask =
        polygon_mask(canvas.size(), {{at.x - radius, at.y}, {at.x + radius, at.y}, {at.x + radius, top.y}, {at.x - radius, top.y}});
    cv::max(mask, ellipse_mask(canvas.size(), at, lid, 0), mask);
    cv::Mat colors(canvas.size(), CV_32FC3);
    for (int x = 0; x < canvas.cols; x++) {
        const double u = std::clamp<double>((x - at.x) / radius, -1, 1);
        const double lit = 0.35 + 0.7 * std::max(0.0, u * light.direction[0] + std::sqrt(1 - u * u) * light.direction[2]);
        colors.col(x).setTo(times(color, lit));
    }
    blend(canvas, mask, colors);
    blend(canvas, ellipse_mask(canvas.size(), top, lid, 0), times(color, 1.2));
}

} // namespace

void paint_sky(cv::Mat &canvas, Draw &draw) {
    const bool evening = draw.chance(0.3);
    const cv::Scalar above = from_hsv(draw.between(0.55, 0.66), draw.between(0.35, 0.8), draw.between(0.5, 0.9));
    const cv::Scalar below = evening ? from_hsv(draw.between(0.02, 0.12), draw.between(0.3, 0.7), 0.95)
                                     : from_hsv(draw.between(0.5, 0.6), draw.between(0.02, 0.25), 0.97);
    gradient(canvas.size(), above, below, CV_PI / 2).copyTo(canvas);
    cv::Mat mask = clouds(canvas.size(), 3, 5, draw);
    mask = (mask - draw.between(0.4, 0.6)) * 5;
    cv::max(mask, 0, mask);
    cv::min(mask, 1, mask);
    const cv::Scalar white = evening ? cv::Scalar(1, 0.85, 0.75) : cv::Scalar(1, 1, 1);
    blend(canvas, mask, white, draw.between(0.3, 0.95));
}

void paint_wall(cv::Mat &canvas, Draw &draw) {
    const cv::Scalar color = some_color(draw, 0.03, 0.6);
    gradient(canvas.size(), times(color, 1.15), times(color, draw.between(0.4, 0.9)), draw.between(0, 2 * CV_PI)).copyTo(canvas);
    if (draw.chance(0.4)) { // a lamp's spot
        const auto reach = static_cast<float>(draw.between(0.3, 0.6) * canvas.cols);
        blend(canvas, ellipse_mask(canvas.size(), somewhere(canvas.size(), draw), {reach, reach}, 0, reach / 3.0),
              times(color, 1.5), 0.6);
    }
    if (draw.chance(0.4)) { // a window's shadow
        const cv::Point2f at = somewhere(canvas.size(), draw);
        const auto w = static_cast<float>(canvas.cols) * 0.3f, h = static_cast<float>(canvas.rows) * 0.6f, s = w * 0.4f;
        shade(canvas,
              polygon_mask(canvas.size(), {at, {at.x + w, at.y + s}, {at.x + w, at.y + s + h}, {at.x, at.y + h}}, 2 + w / 30),
              draw.between(0.5, 0.8));
    }
    const cv::Mat grain = clouds(canvas.size(), 12, 4, draw);
    shade(canvas, grain * draw.between(0, 0.5), 0.8);
}

void paint_ground(cv::Mat &canvas, int horizon, Draw &draw) {
    const cv::Size size(canvas.cols, canvas.rows - horizon);
    if (size.height < 4)
        return;
    const cv::Scalar color = from_hsv(draw.between(0.05, 0.35), draw.between(0.1, 0.5), draw.between(0.3, 0.8));
    cv::Mat ground = gradient(size, times(color, 0.8), times(color, 1.1), CV_PI / 2);
    // Blots that are flatter the farther away they are.
    const cv::Mat flat = clouds(size, 24, 4, draw);
    cv::Mat turned(size, CV_32FC1);
    for (int y = 0; y < size.height; y++) {
        const int from = static_cast<int>(std::sqrt(static_cast<double>(y) / size.height) * (size.height - 1));
        flat.row(from).copyTo(turned.row(y));
    }
    shade(ground, turned, draw.between(0.5, 0.9));
    ground.copyTo(canvas.rowRange(horizon, canvas.rows));
}

void paint_foliage(cv::Mat &canvas, const cv::Rect &place, Draw &draw) {
    const double hue = draw.chance(0.75) ? draw.between(0.2, 0.4) : draw.between(0.02, 0.14);
    const double length = draw.between(0.02, 0.07) * std::min(canvas.rows, canvas.cols);
    const int count = std::min(900, static_cast<int>(2 * place.area() / (length * length)));
    // What shows between the leaves.
    const cv::Mat thick = polygon_mask(
        canvas.size(), {place.tl(), {float(place.br().x), float(place.y)}, place.br(), {float(place.x), float(place.br().y)}},
        length);
    blend(canvas, thick.mul(clouds(canvas.size(), 5, 3, draw) * 1.6 - 0.1), from_hsv(hue, 0.6, 0.12));
    on_bytes(canvas, [&](cv::Mat &bytes) {
        // Dark ones behind, light ones before them.
        for (int i = 0; i < count; i++) {
            const double depth = static_cast<double>(i) / count, value = std::min(1.0, 0.12 + 0.7 * depth * draw.between(0.6, 1.2));
            const cv::Point2f middle = somewhere(place.size(), draw) + cv::Point2f(place.tl());
            const Polygon outline = leaf(middle, length * draw.between(0.7, 1.4), draw.between(0, 2 * CV_PI));
            const cv::Scalar color = from_hsv(hue + draw.between(-0.03, 0.03), draw.between(0.4, 0.85), value) * 255;
            cv::fillConvexPoly(bytes, fixed_points(outline), color, cv::LINE_AA, pixel_bits);
        }
    });
}

void paint_solids(cv::Mat &canvas, int count, const Light &light, Draw &draw) {
    for (int i = 0; i < count; i++) {
        const float side = static_cast<float>(draw.between(0.06, 0.22)) * static_cast<float>(std::min(canvas.rows, canvas.cols));
        const cv::Point2f at = {static_cast<float>(draw.between(0, canvas.cols)),
                                static_cast<float>(draw.between(0.55, 0.95) * canvas.rows)};
        const cv::Scalar color = some_color(draw);
        const auto away = static_cast<float>(-light.direction[0]);
        paint_shadow(canvas, {at.x + away * side, at.y}, {side * 1.3f, side * 0.35f});
        const int64_t kind = draw.below(4);
        if (kind < 2)
            paint_ellipsoid(canvas, {at.x, at.y - side * 0.85f}, {side, side * static_cast<float>(draw.between(0.7, 1))},
                            draw.between(-20, 20), color, light.direction, draw.chance(0.6) ? 0.8 : 0);
        else if (kind == 2)
            paint_box(canvas, at, side, color, light, draw);
        else
            paint_cylinder(canvas, at, side * 0.6f, color, light, draw);
    }
}

void paint_sign(cv::Mat &canvas, Draw &draw) {
    const auto width = static_cast<float>(draw.between(0.25, 0.5)) * static_cast<float>(canvas.cols),
               height = width * static_cast<float>(draw.between(0.3, 0.8));
    const cv::Point2f at = {static_cast<float>(draw.between(0, canvas.cols)) - width / 2,
                            static_cast<float>(draw.between(0.1, 0.8) * canvas.rows) - height / 2};
    const bool dark = draw.chance(0.5);
    const cv::Scalar ground = dark ? from_hsv(draw.unit(), 0.6, 0.25) : from_hsv(draw.unit(), 0.2, 0.95);
    const cv::Scalar ink = dark ? cv::Scalar::all(0.95) : from_hsv(draw.unit(), 0.7, 0.2);
    blend(canvas, polygon_mask(canvas.size(), {at, {at.x + width, at.y}, {at.x + width, at.y + height}, {at.x, at.y + height}}),
          ground);
    const int lines = 1 + static_cast<int>(draw.below(3));
    on_bytes(canvas, [&](cv::Mat &bytes) {
        for (int line = 0; line < lines; line++) {
            std::string text;
            const int64_t letters = 3 + draw.below(6);
            for (int64_t i = 0; i < letters; i++)
                text += static_cast<char>((draw.chance(0.8) ? 'A' : 'a') + draw.below(26));
            const double step = height / (lines + 0.5),
                         scale = std::min(step * 0.7, 1.2 * width / static_cast<double>(letters)) / 22;
            const cv::Point foot(cvRound(at.x + width * 0.06f), cvRound(at.y + step * (line + 1)));
            cv::putText(bytes, text, foot, cv::FONT_HERSHEY_SIMPLEX, scale, ink * 255, std::max(1, cvRound(scale * 2)),
                        cv::LINE_AA);
        }
    });
}

cv::Mat cloth(cv::Size size, Draw &draw) {
    const cv::Scalar one = some_color(draw, 0.1),
                     other = draw.chance(0.5) ? cv::Scalar::all(draw.between(0.1, 0.95)) : some_color(draw);
    cv::Mat colors(size, CV_32FC3, one);
    const int64_t kind = draw.below(3); // plain, stripes, checks
    const double angle = draw.chance(0.5) ? CV_PI / 2 : draw.between(0, CV_PI);
    const double period = draw.between(0.03, 0.12) * std::max(size.width, size.height), share = draw.between(0.3, 0.6);
    const cv::Mat folds = clouds(size, 6, 3, draw);
    const auto in_stripe = [&](double along) { return along / period - std::floor(along / period) < share; };
    for (int y = 0; y < size.height; y++)
        for (int x = 0; x < size.width; x++) {
            const double bent = (folds.at<float>(y, x) - 0.5) * period * 1.5;
            const bool first = kind > 0 && in_stripe(x * std::cos(angle) + y * std::sin(angle) + bent);
            const bool second = kind > 1 && in_stripe(y * std::cos(angle) - x * std::sin(angle) + bent);
            const double much = 0.5 * (first + second) * (kind == 1 ? 2 : 1), lit = 0.6 + 0.7 * folds.at<float>(y, x);
            for (int c = 0; c < 3; c++)
                colors.at<cv::Vec3f>(y, x)[c] = static_cast<float>(std::min(1.0, (one[c] + (other[c] - one[c]) * much) * lit));
        }
    return colors;
}

} // namespace aianime::train
