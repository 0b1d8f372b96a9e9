// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>

#include "train/scene_paint.h"
#include "train/scene_parts.h"

namespace aianime::train {

namespace {

// A head looks somewhat to a side and is tilted. Places on it are told in radii from its middle, right and down.
struct Head {
    cv::Point2f middle;
    float radius, turn, tilt; // turn: how far the features are shifted
    cv::Scalar skin, hair, iris;
    Light light;

    cv::Point2f at(double x, double y) const {
        const double c = std::cos(tilt), s = std::sin(tilt);
        return middle + cv::Point2f(static_cast<float>(x * c - y * s), static_cast<float>(x * s + y * c)) * radius;
    }
    // A place on the face, which turns with the head.
    cv::Point2f on_face(double x, double y) const { return at(x * (1 - 0.25 * turn * turn) + 0.28 * turn, y); }
    double degrees() const { return tilt * 180 / CV_PI; }
    float pixels(double length) const { return static_cast<float>(length) * radius; }
};

cv::Scalar times(const cv::Scalar &color, double factor) { return color * factor; }

Head draw_head(cv::Point2f middle, float radius, const Light &light, Draw &draw) {
    Head head{middle, radius, static_cast<float>(draw.between(-1, 1)), static_cast<float>(draw.between(-0.25, 0.25)), {}, {},
              {},     light};
    const double light_skin = draw.unit();
    head.skin = from_hsv(draw.between(0.035, 0.075), 0.6 - 0.28 * light_skin, 0.5 + 0.48 * light_skin);
    const int64_t kind = draw.below(5); // black, brown, fair, red, dyed
    const double hue[] = {0.08, 0.07, 0.11, 0.04, draw.unit()}, saturation[] = {0.3, 0.6, 0.5, 0.75, 0.6},
                 value[] = {0.1, 0.3, 0.75, 0.5, 0.6};
    head.hair = from_hsv(hue[kind], saturation[kind], value[kind] * draw.between(0.8, 1.2));
    head.iris = draw.chance(0.6) ? from_hsv(0.07, 0.6, draw.between(0.15, 0.4)) : from_hsv(draw.between(0.3, 0.6), 0.5, 0.6);
    return head;
}

// From the crown over the cheeks to the chin.
Polygon face_outline(const Head &head, double chin) {
    Polygon outline;
    for (int i = 0; i < 48; i++) {
        const double angle = i * CV_PI / 24, down = std::max(0.0, std::sin(angle));
        outline.push_back(head.at(0.74 * std::cos(angle) * (1 - chin * down * down), (down > 0 ? 1.05 : 0.95) * std::sin(angle)));
    }
    return outline;
}

void paint_skin(cv::Mat &canvas, const Head &head, Draw &draw) {
    const cv::Mat mask = polygon_mask(canvas.size(), face_outline(head, draw.between(0.15, 0.4)));
    cv::Mat lit = canvas.clone();
    paint_ellipsoid(lit, head.middle, {head.pixels(0.95), head.pixels(1.25)}, head.degrees(), head.skin, head.light.direction, 0.1);
    for (const double side : {-1.0, 1.0}) {
        paint_ellipsoid(canvas, head.at(side * 0.74 - 0.08 * head.turn, 0.1), {head.pixels(0.12), head.pixels(0.24)},
                        head.degrees(), times(head.skin, 0.9), head.light.direction, 0);
        const cv::Mat cheek = ellipse_mask(canvas.size(), head.on_face(side * 0.38, 0.35), {head.pixels(0.2), head.pixels(0.14)}, 0,
                                           head.pixels(0.1));
        blend(lit, cheek, from_hsv(0.99, 0.5, 0.85), draw.between(0, 0.3));
    }
    blend(canvas, mask, lit);
}

// Lines and small shapes; `bytes` is the canvas.
class Pen {
public:
    Pen(cv::Mat &bytes, const Head &head) : bytes_(bytes), head_(head) {}

    void line(const Polygon &places, const cv::Scalar &color, double width) {
        cv::polylines(bytes_, std::vector<std::vector<cv::Point>>{fixed_points(places)}, false, color * 255,
                      std::max(1, cvRound(head_.pixels(width))), cv::LINE_AA, pixel_bits);
    }
    void fill(const Polygon &places, const cv::Scalar &color) {
        cv::fillPoly(bytes_, std::vector<std::vector<cv::Point>>{fixed_points(places)}, color * 255, cv::LINE_AA, pixel_bits);
    }
    void disc(cv::Point2f place, double radius, const cv::Scalar &color) {
        cv::circle(bytes_, fixed_point(place), fixed_point({head_.pixels(radius), 0}).x, color * 255, cv::FILLED, cv::LINE_AA,
                   pixel_bits);
    }

private:
    cv::Mat &bytes_;
    const Head &head_;
};

struct Look {
    double x, y;  // where the eyes look
    double open;  // eyes, 0 to 1
    double smile; // -0.5 to 1
    double mouth; // how far open
};

void paint_eye(Pen &pen, const Head &head, double side, const Look &look) {
    const double x = side * 0.3, y = -0.02, half = 0.15, high = 0.085 * look.open;
    const cv::Point2f left = head.on_face(x - half, y), right = head.on_face(x + half, y);
    const Polygon upper = curve(left, head.on_face(x, y - 2 * high), right);
    if (look.open > 0.2) {
        Polygon white = upper;
        const Polygon lower = curve(right, head.on_face(x, y + 1.5 * high), left);
        white.insert(white.end(), lower.begin(), lower.end());
        pen.fill(white, {0.93, 0.91, 0.9});
        const cv::Point2f iris = head.on_face(x + 0.04 * look.x, y - 0.01 + 0.01 * look.y);
        const double reach = std::min(0.07, high * 0.95);
        pen.disc(iris, reach, head.iris);
        pen.disc(iris, reach * 0.5, {0.04, 0.03, 0.03});
        pen.disc(iris + cv::Point2f(head.pixels(0.02), head.pixels(-0.025)), reach * 0.25, {1, 1, 1});
    }
    pen.line(upper, times(head.hair, 0.35), 0.035);
    pen.line(curve(head.on_face(x - half * 0.9, y - 0.16), head.on_face(x, y - 0.24), head.on_face(x + half * 1.05, y - 0.16)),
             times(head.hair, 0.7), 0.05);
}

void paint_mouth(Pen &pen, const Head &head, const Look &look) {
    const double y = 0.56, half = 0.2 + 0.05 * look.smile, lift = 0.08 * look.smile;
    const cv::Point2f left = head.on_face(-half, y - lift), right = head.on_face(half, y - lift);
    const cv::Scalar lips = head.skin.mul(cv::Scalar(0.85, 0.55, 0.58));
    const Polygon upper = curve(left, head.on_face(0, y - 0.08 + lift * 0.5), right);
    const Polygon lower = curve(right, head.on_face(0, y + 0.14 + 2 * look.mouth + lift), left);
    Polygon whole = upper;
    whole.insert(whole.end(), lower.begin(), lower.end());
    pen.fill(whole, lips);
    if (look.mouth > 0.03) {
        Polygon inside = curve(left, head.on_face(0, y - 0.02 + lift), right);
        const Polygon below = curve(right, head.on_face(0, y + 0.04 + 2 * look.mouth + lift), left);
        inside.insert(inside.end(), below.begin(), below.end());
        pen.fill(inside, look.smile > 0.4 ? cv::Scalar(0.93, 0.92, 0.88) : cv::Scalar(0.25, 0.08, 0.08));
    } else {
        pen.line(curve(left, head.on_face(0, y + 0.03 + lift), right), times(lips, 0.55), 0.02);
    }
}

void paint_features(cv::Mat &canvas, const Head &head, Draw &draw) {
    const Look look{draw.between(-1, 1), draw.between(-1, 1), draw.chance(0.1) ? 0.0 : draw.between(0.5, 1), draw.between(-0.5, 1),
                    draw.chance(0.35) ? draw.between(0.03, 0.1) : 0};
    const bool glasses = draw.chance(0.2);
    on_bytes(canvas, [&](cv::Mat &bytes) {
        Pen pen(bytes, head);
        const cv::Scalar dark = times(head.skin, 0.68);
        const double shadow = head.light.direction[0] > 0 ? -1 : 1;
        pen.line(curve(head.on_face(0.06 * shadow, 0), head.on_face(0.06 * shadow, 0.2), head.on_face(0.1 * shadow, 0.28)), dark,
                 0.03);
        pen.line(curve(head.on_face(-0.08, 0.32), head.on_face(0, 0.36), head.on_face(0.08, 0.32)), dark, 0.03);
        for (const double side : {-1.0, 1.0}) {
            paint_eye(pen, head, side, look);
            if (glasses)
                pen.line(face_outline({head.on_face(side * 0.3, 0), head.radius * 0.24f, 0, head.tilt, {}, {}, {}, {}}, 0),
                         {0.1, 0.1, 0.12}, 0.03);
        }
        paint_mouth(pen, head, look);
    });
}

// Strands from the crown along a curve, lighter where the lamp glints.
void paint_strands(cv::Mat &canvas, const Head &head, double length, bool behind, Draw &draw) {
    const int count = std::clamp(cvRound(head.pixels(4.5)), 60, 400);
    const double parting = draw.between(-0.4, 0.4);
    on_bytes(canvas, [&](cv::Mat &bytes) {
        Pen pen(bytes, head);
        for (int i = 0; i < count; i++) {
            const double across = draw.between(-1, 1), side = across < parting ? -1 : 1;
            const double wide = 0.55 + 0.4 * std::abs(across);
            const cv::Point2f crown = head.at(parting * 0.4 + across * 0.15, -1.08 + 0.05 * std::abs(across));
            // Those at the sides hang down, those before the face end above the eyes.
            const bool long_one = std::abs(across) > 0.62;
            if (behind && !long_one)
                continue;
            const double down = long_one ? length + draw.between(-0.1, 0.1) : draw.between(-0.6, -0.32);
            const cv::Point2f over = head.at(side * wide * (long_one ? 1.15 : 0.8), -0.95);
            const cv::Point2f tip = head.at(long_one ? side * draw.between(0.72, 0.98) : across * 0.95, down);
            const double lit = draw.between(0.55, 1.35) * (draw.chance(0.1) ? 1.5 : 1) * (behind ? 0.6 : 1);
            pen.line(curve(crown, over, tip), times(head.hair, std::min(lit, 2.0)), draw.between(0.01, 0.05));
        }
    });
}

void paint_hair_cap(cv::Mat &canvas, const Head &head) {
    Polygon cap;
    for (int i = 0; i <= 24; i++) {
        const double angle = CV_PI + i * CV_PI / 24;
        cap.push_back(head.at(0.86 * std::cos(angle), 1.1 * std::sin(angle) - 0.02));
    }
    const Polygon brow = curve(head.at(0.84, -0.05), head.on_face(0, -0.95), head.at(-0.84, -0.05), 12);
    cap.insert(cap.end(), brow.begin(), brow.end());
    cv::Mat lit = canvas.clone();
    paint_ellipsoid(lit, head.at(0, -0.1), {head.pixels(1), head.pixels(1.15)}, head.degrees(), head.hair, head.light.direction,
                    0.25);
    blend(canvas, polygon_mask(canvas.size(), cap), lit);
}

void paint_body(cv::Mat &canvas, const Head &head, Draw &draw) {
    const cv::Point2f base = head.at(0, 1.0);
    const auto at = [&](double x, double y) { return base + cv::Point2f(head.pixels(x), head.pixels(y)); };
    const double wide = draw.between(1.5, 2.1);
    Polygon body = curve(at(-0.35, 0.25), at(-wide * 0.9, 0.4), at(-wide, 1.3));
    const Polygon right = curve(at(wide, 1.3), at(wide * 0.9, 0.4), at(0.35, 0.25));
    body.insert(body.end(), {at(-wide - 0.2, 8), at(wide + 0.2, 8)});
    body.insert(body.end(), right.begin(), right.end());
    blend(canvas, polygon_mask(canvas.size(), {at(-0.36, -0.6), at(0.36, -0.6), at(0.42, 0.35), at(-0.42, 0.35)}),
          times(head.skin, 0.8));
    const cv::Mat colors = cloth(canvas.size(), draw);
    const cv::Mat mask = polygon_mask(canvas.size(), body);
    blend(canvas, mask, colors);
    // The side away from the lamp is darker.
    const double away = head.light.direction[0] > 0 ? -1 : 1;
    const cv::Mat dark = ellipse_mask(canvas.size(), at(away * wide, 1.5), {head.pixels(0.8), head.pixels(2)}, 0, head.pixels(0.4));
    shade(canvas, dark.mul(mask), 0.6);
    // Below the chin.
    blend(canvas, ellipse_mask(canvas.size(), at(0, 0.25), {head.pixels(0.36), head.pixels(0.22)}, 0), times(head.skin, 0.85));
    shade(canvas, ellipse_mask(canvas.size(), at(0, 0.05), {head.pixels(0.42), head.pixels(0.3)}, 0, head.pixels(0.08)), 0.65);
}

} // namespace

void paint_person(cv::Mat &canvas, cv::Point2f middle, float radius, const Light &light, Draw &draw) {
    const Head head = draw_head(middle, radius, light, draw);
    const double length = draw.chance(0.5) ? draw.between(-0.2, 0.3) : draw.between(0.8, 2);
    const bool bald = draw.chance(0.07);
    if (length > 0.5 && !bald)
        paint_strands(canvas, head, length, true, draw);
    paint_body(canvas, head, draw);
    paint_skin(canvas, head, draw);
    paint_features(canvas, head, draw);
    if (!bald) {
        paint_hair_cap(canvas, head);
        paint_strands(canvas, head, length, false, draw);
    }
}

} // namespace aianime::train
