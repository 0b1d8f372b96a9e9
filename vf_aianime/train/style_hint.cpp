// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_hint.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::train {

namespace {

// Lines up to the size of the element vanish; edges between surfaces stay.
cv::Mat without_lines(const cv::Mat &picture, int side) {
    cv::Mat closed;
    cv::morphologyEx(picture, closed, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_ELLIPSE, {side, side}));
    return closed;
}

// What happens to every pixel alike.
struct Recolouring {
    explicit Recolouring(Draw &draw) {
        const double turn = draw.between(-CV_PI, CV_PI), gain = draw.between(0.3, 1.2);
        cosine = static_cast<float>(gain * std::cos(turn));
        sine = static_cast<float>(gain * std::sin(turn));
        gamma = static_cast<float>(std::exp(draw.between(-0.4, 0.4)));
        const double black = draw.between(0, 0.15), white = draw.between(0.85, 1);
        low = static_cast<float>(black);
        span = static_cast<float>(white - black);
        slope_x = static_cast<float>(draw.between(-0.2, 0.2));
        slope_y = static_cast<float>(draw.between(-0.2, 0.2));
    }
    float cosine, sine, gamma, low, span, slope_x, slope_y;
};

cv::Vec3f recoloured(const cv::Vec3b &pixel, const Recolouring &how, float light) {
    const float red = static_cast<float>(pixel[0]) / 255, green = static_cast<float>(pixel[1]) / 255,
                blue = static_cast<float>(pixel[2]) / 255;
    const float luma = 0.299f * red + 0.587f * green + 0.114f * blue;
    const float u = 0.493f * (blue - luma), v = 0.877f * (red - luma);
    const float turned_u = how.cosine * u - how.sine * v, turned_v = how.sine * u + how.cosine * v;
    const float tone = light * (how.low + how.span * std::pow(luma, how.gamma));
    const float new_red = tone + turned_v / 0.877f, new_blue = tone + turned_u / 0.493f;
    return {new_red, (tone - 0.299f * new_red - 0.114f * new_blue) / 0.587f, new_blue};
}

} // namespace

cv::Mat style_hint(const cv::Mat &picture, Draw &draw) {
    const cv::Mat plain = without_lines(picture, static_cast<int>(3 + 2 * draw.below(2)));
    const Recolouring how(draw);
    const double grain = draw.between(0, 0.03);
    cv::Mat hint(picture.size(), CV_8UC3);
    for (int y = 0; y < hint.rows; y++)
        for (int x = 0; x < hint.cols; x++) {
            const float across = static_cast<float>(x) / static_cast<float>(hint.cols) - 0.5f,
                        down = static_cast<float>(y) / static_cast<float>(hint.rows) - 0.5f;
            const cv::Vec3f color = recoloured(plain.at<cv::Vec3b>(y, x), how, 1 + how.slope_x * across + how.slope_y * down);
            // The same for all channels, nearly a bell.
            const auto noise = static_cast<float>(grain * (draw.unit() + draw.unit() + draw.unit() - 1.5) * 2);
            for (int i = 0; i < 3; i++)
                hint.at<cv::Vec3b>(y, x)[i] = cv::saturate_cast<uchar>(255 * (color[i] + noise));
        }
    return hint;
}

} // namespace aianime::train
