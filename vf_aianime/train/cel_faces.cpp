// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_faces.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "train/cel_math.h"

namespace aianime::train {
namespace {

cv::Point2f center_of(const cv::Rect2f &box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

// Calls `visit(x, y, share)` where a soft ellipse covers pixels; `share` is 1 inside and falls to 0 at the radii.
template <typename Visit>
void in_ellipse(cv::Size size, cv::Point2f center, float rx, float ry, const Visit &visit) {
    const int left = std::max(0, static_cast<int>(center.x - rx)), top = std::max(0, static_cast<int>(center.y - ry));
    const int right = std::min(size.width - 1, static_cast<int>(center.x + rx) + 1);
    const int bottom = std::min(size.height - 1, static_cast<int>(center.y + ry) + 1);
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            const float u = (static_cast<float>(x) - center.x) / rx, v = (static_cast<float>(y) - center.y) / ry;
            const float share = soft_step(-(u * u + v * v), -1, -0.5f);
            if (share > 0)
                visit(x, y, share);
        }
}

// Smaller eyes cannot be told from their lashes.
float large_enough(const cv::Rect2f &eye) { return soft_step(eye.width, 7, 12); }

template <typename Visit>
void about_eye(cv::Size size, const cv::Rect2f &eye, const Visit &visit) {
    const float large = large_enough(eye);
    if (large > 0)
        in_ellipse(size, center_of(eye), 0.8f * eye.width, std::max(0.95f * eye.height, 0.42f * eye.width),
                   [&](int x, int y, float share) { visit(x, y, large * share); });
}

void clear_eye(cv::Mat &lab, const cv::Mat &source, const cv::Rect2f &eye) {
    float sum = 0, total = 1e-6f;
    about_eye(lab.size(), eye, [&](int x, int y, float share) {
        sum += share * source.ptr<cv::Vec3f>(y)[x][0];
        total += share;
    });
    const float mean = sum / total;
    about_eye(lab.size(), eye, [&](int x, int y, float share) {
        cv::Vec3f color = source.ptr<cv::Vec3f>(y)[x], &to = lab.ptr<cv::Vec3f>(y)[x];
        color[0] = std::clamp(color[0] + 9 * std::tanh((color[0] - mean) / 25), 0.f, 100.f);
        to += 0.7f * share * (color - to);
    });
}

// Lips are redder than the skin about them; teeth are not.
void tint_lips(cv::Mat &lab, const cv::Rect2f &mouth) {
    if (mouth.width < 9)
        return;
    const cv::Point2f center = center_of(mouth);
    const float rx = 0.58f * mouth.width, ry = std::max(0.62f * mouth.height, 0.16f * mouth.width);
    float sum = 0, total = 1e-6f;
    in_ellipse(lab.size(), center, 1.25f * rx, 1.7f * ry, [&](int x, int y, float share) {
        sum += share * lab.ptr<cv::Vec3f>(y)[x][1];
        total += share;
    });
    const float mean = sum / total;
    in_ellipse(lab.size(), center, rx, ry, [&](int x, int y, float share) {
        cv::Vec3f &to = lab.ptr<cv::Vec3f>(y)[x];
        const float lip = share * soft_step(to[1] - mean, -2, 6) * soft_step(to[0], 18, 32);
        to += lip * cv::Vec3f(-3, 12, 1);
    });
}

// Hair is what is dark about the upper half of a face. Its light is what is lighter than the hair about it.
void light_hair(cv::Mat &lab, const FaceMark &face, const cv::Mat &skin) {
    const cv::Rect2f &box = face.box;
    if (box.width < 24)
        return;
    const cv::Point2f eyes = 0.5f * (center_of(face.left_eye) + center_of(face.right_eye));
    const cv::Point2f center(eyes.x, eyes.y - 0.25f * box.height);
    const cv::Rect about(static_cast<int>(center.x - box.width), static_cast<int>(center.y - box.height),
                         static_cast<int>(2 * box.width), static_cast<int>(2 * box.height));
    const cv::Rect place = about & cv::Rect({}, lab.size());
    if (place.width < 8 || place.height < 8)
        return;
    cv::Mat hair = cv::Mat::zeros(lab.size(), CV_32FC1), lightness;
    in_ellipse(lab.size(), center, 0.8f * box.width, 0.75f * box.height, [&](int x, int y, float share) {
        // Hair hangs beside the eyes too, but brows and lashes are no hair.
        const float above = soft_step(eyes.y - static_cast<float>(y), -0.1f * box.height, 0.1f * box.height);
        hair.ptr<float>(y)[x] = share * above * (1 - skin.ptr<float>(y)[x]) * soft_step(-lab.ptr<cv::Vec3f>(y)[x][0], -52, -38);
    });
    hair = hair(place).clone();
    cv::extractChannel(lab(place), lightness, 0);
    const auto mean = [&](float sigma) { return cv::Mat(blurred(lightness.mul(hair), sigma) / (blurred(hair, sigma) + 1e-3f)); };
    const cv::Mat near = mean(0.03f * box.width), wide = mean(0.16f * box.width);
    const cv::Mat solid = blurred(hair, 0.02f * box.width);
    for (int y = 0; y < place.height; y++)
        for (int x = 0; x < place.width; x++) {
            const float band = soft_step(near.ptr<float>(y)[x] - wide.ptr<float>(y)[x], 0.8f, 2.8f);
            lab.ptr<cv::Vec3f>(y + place.y)[x + place.x][0] += 13 * band * soft_step(solid.ptr<float>(y)[x], 0.5f, 0.9f);
        }
}

struct Light {
    cv::Point2f at;
    float radius = 0; // 0: none
};

// The centre of what is dark within the eye is the iris; the light is sought about it.
Light light_of(const cv::Mat &luma, const cv::Rect2f &eye) {
    if (eye.width < 9 || eye.height < 0.16f * eye.width)
        return {};
    const float iris = 0.2f * eye.width;
    float low = 1, high = 0;
    const auto inside = [&](const auto &visit) {
        in_ellipse(luma.size(), center_of(eye), 0.5f * eye.width, std::max(0.55f * eye.height, iris), visit);
    };
    inside([&](int x, int y, float) {
        low = std::min(low, luma.ptr<float>(y)[x]);
        high = std::max(high, luma.ptr<float>(y)[x]);
    });
    if (high - low < 0.12f)
        return {};
    cv::Point2f dark(0, 0);
    float total = 1e-6f;
    inside([&](int x, int y, float share) {
        const float w = share * std::pow((high - luma.ptr<float>(y)[x]) / (high - low), 4.f);
        dark += w * cv::Point2f(static_cast<float>(x), static_cast<float>(y));
        total += w;
    });
    dark *= 1 / total;
    // A weighted mean moves smoothly with the picture. The place that is taken where there is no light in the source weighs little.
    cv::Point2f at = 0.4f * (dark + iris * cv::Point2f(-0.3f, -0.4f));
    total = 0.4f;
    const cv::Point2f center = dark - cv::Point2f(0, 0.15f * iris);
    const float floor = low + 0.25f * (high - low);
    in_ellipse(luma.size(), center, 0.8f * iris, 0.8f * iris, [&](int x, int y, float share) {
        const float over = std::max(0.f, luma.ptr<float>(y)[x] - floor) / (high - low);
        const float w = 8 * share * over * over * over;
        at += w * cv::Point2f(static_cast<float>(x), static_cast<float>(y));
        total += w;
    });
    return {at * (1 / total), std::max(0.9f, 0.42f * iris)};
}

} // namespace

cv::Mat eye_mask(cv::Size size, const std::vector<FaceMark> &faces) {
    cv::Mat out = cv::Mat::zeros(size, CV_32FC1);
    for (const FaceMark &face : faces)
        for (const cv::Rect2f &eye : {face.left_eye, face.right_eye})
            about_eye(size, eye, [&](int x, int y, float share) {
                float &to = out.ptr<float>(y)[x];
                to = std::max(to, share);
            });
    return out;
}

cv::Mat with_faces(const cv::Mat &lab, const cv::Mat &source, const std::vector<FaceMark> &faces, const cv::Mat &skin) {
    cv::Mat out = lab.clone();
    for (const FaceMark &face : faces) {
        light_hair(out, face, skin);
        tint_lips(out, face.mouth);
        for (const cv::Rect2f &eye : {face.left_eye, face.right_eye})
            clear_eye(out, source, eye);
    }
    return out;
}

cv::Mat with_lashes(const cv::Mat &lines, const std::vector<FaceMark> &faces) {
    cv::Mat out = lines.clone();
    for (const FaceMark &face : faces)
        for (const cv::Rect2f &eye : {face.left_eye, face.right_eye}) {
            const cv::Mat thick = blurred(lines, std::clamp(eye.width / 40, 0.35f, 2.f));
            about_eye(lines.size(), eye, [&](int x, int y, float share) {
                const float dark = std::min(1.f, 1.3f * std::max(thick.ptr<float>(y)[x], 0.8f * lines.ptr<float>(y)[x]));
                float &to = out.ptr<float>(y)[x];
                to = std::max(to, to + share * (dark - to));
            });
        }
    return out;
}

cv::Mat eye_lights(const cv::Mat &luma, const std::vector<FaceMark> &faces) {
    cv::Mat out = cv::Mat::zeros(luma.size(), CV_32FC1);
    for (const FaceMark &face : faces)
        for (const cv::Rect2f &eye : {face.left_eye, face.right_eye}) {
            const Light light = light_of(luma, eye);
            if (light.radius <= 0)
                continue;
            const float reach = 1.4f * light.radius;
            in_ellipse(luma.size(), light.at, reach, reach, [&](int x, int y, float share) {
                float &to = out.ptr<float>(y)[x];
                to = std::max(to, soft_step(eye.width, 20, 28) * share);
            });
        }
    return out;
}

} // namespace aianime::train
