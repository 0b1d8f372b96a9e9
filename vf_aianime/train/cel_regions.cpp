// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_regions.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "train/cel_math.h"

namespace aianime::train {
namespace {

// Skin of any tone lies about one hue; chroma and lightness vary widely. Wide flanks forgive the white balance, and light of a pink
// lamp where it is not strong.
float skin_likeness(const cv::Vec3f &lab) {
    const float chroma = std::sqrt(lab[1] * lab[1] + lab[2] * lab[2]);
    const float hue = std::atan2(lab[2], lab[1]) * 57.29578f;
    const float plain = soft_step(hue, 5, 20) * soft_step(-chroma, -58, -42);
    const float pink = soft_step(hue, -30, -6) * soft_step(-chroma, -42, -34);
    const float by_hue = std::max(plain, pink) * soft_step(-hue, -92, -74);
    return by_hue * soft_step(chroma, 7, 14) * soft_step(lab[0], 22, 38);
}

// Light on skin loses its colour and tells nothing by itself.
float glare_likeness(const cv::Vec3f &lab) {
    return soft_step(lab[0], 62, 76) * soft_step(-std::abs(lab[1] - 6), -22, -14) * soft_step(-std::abs(lab[2] - 6), -26, -18);
}

float gray_likeness(const cv::Vec3f &lab) {
    const float chroma = std::sqrt(lab[1] * lab[1] + lab[2] * lab[2]);
    const float sky = soft_step(-lab[2], 2, 12) * soft_step(lab[0], 55, 72);
    return soft_step(lab[0], 28, 42) * std::max(soft_step(-chroma, -22, -12), sky);
}

} // namespace

cv::Mat face_mask(cv::Size size, const std::vector<FaceMark> &faces) {
    cv::Mat out = cv::Mat::zeros(size, CV_32FC1);
    for (const FaceMark &face : faces) {
        const cv::Rect2f &b = face.box;
        if (b.width < 4 || b.height < 4)
            continue;
        for (int y = 0; y < size.height; y++)
            for (int x = 0; x < size.width; x++) {
                const float u = (static_cast<float>(x) - b.x - b.width / 2) / (0.55f * b.width);
                const float v = (static_cast<float>(y) - b.y - b.height / 2) / (0.62f * b.height);
                float &to = out.ptr<float>(y)[x];
                to = std::max(to, soft_step(-(u * u + v * v), -1.2f, -0.8f));
            }
    }
    return out;
}

cv::Mat skin_mask(const cv::Mat &lab, float scale) {
    cv::Mat skin(lab.size(), CV_32FC1), glare(lab.size(), CV_32FC1);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            skin.ptr<float>(y)[x] = skin_likeness(lab.ptr<cv::Vec3f>(y)[x]);
            glare.ptr<float>(y)[x] = glare_likeness(lab.ptr<cv::Vec3f>(y)[x]);
        }
    // Eyes, brows and lips lie within skin and belong to it.
    const cv::Mat about = blurred(skin, 9 * scale);
    skin = blurred(skin, 1.2f * scale);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            float &here = skin.ptr<float>(y)[x];
            const float near = about.ptr<float>(y)[x];
            const float lit = glare.ptr<float>(y)[x] * soft_step(near, 0.3f, 0.5f);
            here = std::max({soft_step(here, 0.2f, 0.6f), soft_step(near, 0.55f, 0.75f), lit});
        }
    return skin;
}

Regions find_regions(const cv::Mat &lab, const std::vector<FaceMark> &faces, float scale) {
    Regions out;
    out.face = face_mask(lab.size(), faces);
    // Not the face's mask: hair and coloured lips lie in it.
    out.skin = skin_mask(lab, scale);
    cv::Mat gray(lab.size(), CV_32FC1);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++)
            gray.ptr<float>(y)[x] = gray_likeness(lab.ptr<cv::Vec3f>(y)[x]);
    gray = blurred(gray, 1.2f * scale);
    out.backdrop.create(lab.size(), CV_32FC1);
    out.cloth.create(lab.size(), CV_32FC1);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const float free = 1 - out.skin.ptr<float>(y)[x];
            const float g = soft_step(gray.ptr<float>(y)[x], 0.3f, 0.7f);
            out.backdrop.ptr<float>(y)[x] = free * g;
            out.cloth.ptr<float>(y)[x] = free * (1 - g);
        }
    return out;
}

cv::Mat highlights(const cv::Mat &luma, float scale) {
    const cv::Mat small = blurred(luma, 0.8f * scale), wide = blurred(luma, 3.5f * scale);
    cv::Mat out(luma.size(), CV_32FC1);
    for (int y = 0; y < luma.rows; y++)
        for (int x = 0; x < luma.cols; x++) {
            const float spot = small.ptr<float>(y)[x] - wide.ptr<float>(y)[x];
            out.ptr<float>(y)[x] = soft_step(spot, 0.10f, 0.22f) * soft_step(-wide.ptr<float>(y)[x], -0.55f, -0.35f);
        }
    return out;
}

} // namespace aianime::train
