// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_lines.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/cel_math.h"

namespace aianime::train {
namespace {

// Eyes see ratios; the offset keeps the noise of the darkest pixels out.
cv::Mat log_of(const cv::Mat &luma) {
    cv::Mat out = luma + 0.06f;
    cv::log(out, out);
    return out;
}

// The smoothed structure tensor: products of the derivatives.
struct Tensor {
    cv::Mat xx, xy, yy;
};

Tensor tensor_of(const cv::Mat &picture, float sigma) {
    cv::Mat dx, dy;
    cv::Sobel(picture, dx, CV_32F, 1, 0, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    cv::Sobel(picture, dy, CV_32F, 0, 1, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    return {blurred(dx.mul(dx), sigma), blurred(dx.mul(dy), sigma), blurred(dy.mul(dy), sigma)};
}

// Unit tangents of the edges (CV_32FC2).
cv::Mat tangents(const Tensor &tensor) {
    cv::Mat out(tensor.xx.size(), CV_32FC2);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float a = tensor.xx.ptr<float>(y)[x], b = tensor.xy.ptr<float>(y)[x], c = tensor.yy.ptr<float>(y)[x];
            const float angle = 0.5f * std::atan2(2 * b, a - c);
            out.ptr<cv::Vec2f>(y)[x] = cv::Vec2f(-std::sin(angle), std::cos(angle));
        }
    return out;
}

// A blur so wide that a quarter of the picture's resolution serves.
cv::Mat widely_blurred(const cv::Mat &picture, float sigma) {
    cv::Mat small, out;
    const cv::Size size(std::max(1, picture.cols / 4), std::max(1, picture.rows / 4));
    cv::resize(picture, small, size, 0, 0, cv::INTER_AREA);
    cv::resize(blurred(small, sigma / 4), out, picture.size(), 0, 0, cv::INTER_LINEAR);
    return out;
}

// 1 where lines stand close and in all directions (leaves, gravel), which nobody draws one by one; 0 on strands and on contours.
cv::Mat scribble(const cv::Mat &lines, const Tensor &tensor, float scale) {
    const float sigma = 7 * scale;
    const cv::Mat density = widely_blurred(lines, sigma), xx = widely_blurred(tensor.xx, sigma),
                  xy = widely_blurred(tensor.xy, sigma), yy = widely_blurred(tensor.yy, sigma);
    cv::Mat out(lines.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float a = xx.ptr<float>(y)[x], b = xy.ptr<float>(y)[x], c = yy.ptr<float>(y)[x];
            const float aligned = std::sqrt((a - c) * (a - c) + 4 * b * b) / (a + c + 1e-5f);
            out.ptr<float>(y)[x] = soft_step(density.ptr<float>(y)[x], 0.15f, 0.28f) * soft_step(-aligned, -0.55f, -0.30f);
        }
    return out;
}

float sample(const cv::Mat &picture, float x, float y) {
    x = std::clamp(x, 0.f, static_cast<float>(picture.cols - 1));
    y = std::clamp(y, 0.f, static_cast<float>(picture.rows - 1));
    const int left = std::min(static_cast<int>(x), std::max(picture.cols - 2, 0));
    const int top = std::min(static_cast<int>(y), std::max(picture.rows - 2, 0));
    const float fx = x - static_cast<float>(left), fy = y - static_cast<float>(top);
    const int right = std::min(left + 1, picture.cols - 1), bottom = std::min(top + 1, picture.rows - 1);
    const float *a = picture.ptr<float>(top), *b = picture.ptr<float>(bottom);
    return (1 - fy) * ((1 - fx) * a[left] + fx * a[right]) + fy * ((1 - fx) * b[left] + fx * b[right]);
}

// Mean along the tangent, Gaussian; follows the curve step by step.
cv::Mat along(const cv::Mat &picture, const cv::Mat &tangent, float sigma) {
    std::vector<float> weights;
    for (int i = 0; i <= static_cast<int>(std::ceil(2 * sigma)); i++)
        weights.push_back(std::exp(-0.5f * static_cast<float>(i * i) / (sigma * sigma)));
    cv::Mat out(picture.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            float sum = picture.ptr<float>(y)[x], total = 1;
            for (const float side : {-1.f, 1.f}) {
                cv::Vec2f way = side * tangent.ptr<cv::Vec2f>(y)[x];
                float px = static_cast<float>(x), py = static_cast<float>(y);
                for (size_t i = 1; i < weights.size(); i++) {
                    px += way[0];
                    py += way[1];
                    const int ix = static_cast<int>(std::lround(px)), iy = static_cast<int>(std::lround(py));
                    if (ix < 0 || iy < 0 || ix >= out.cols || iy >= out.rows)
                        break;
                    sum += weights[i] * sample(picture, px, py);
                    total += weights[i];
                    const cv::Vec2f next = tangent.ptr<cv::Vec2f>(iy)[ix];
                    way = next.dot(way) < 0 ? -next : next;
                }
            }
            out.ptr<float>(y)[x] = sum / total;
        }
    return out;
}

// How much darker a pixel is than its wider surroundings, in natural logarithms.
cv::Mat darker(const cv::Mat &logs, float sigma) { return blurred(logs, 1.6f * sigma * 1.6f) - blurred(logs, sigma); }

} // namespace

cv::Mat ink_lines(const cv::Mat &luma, float scale, const cv::Mat &fine) {
    const cv::Mat logs = log_of(luma);
    const Tensor tensor = tensor_of(logs, 2.2f * scale);
    const cv::Mat tangent = tangents(tensor);
    const cv::Mat thin = along(darker(logs, 0.7f * scale), tangent, 2.5f * scale);
    const cv::Mat wide = along(darker(logs, 1.2f * scale), tangent, 6 * scale);
    cv::Mat out(luma.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float f = fine.ptr<float>(y)[x];
            const float a = soft_step(thin.ptr<float>(y)[x], 0.045f, 0.11f);
            const float b = soft_step(wide.ptr<float>(y)[x], 0.06f, 0.13f);
            out.ptr<float>(y)[x] = std::max(b, (0.6f + 0.4f * f) * a);
        }
    // Eyes are round and dense, too, but not to be lost.
    const cv::Mat kept = 1 - 0.9f * scribble(out, tensor, scale).mul(1 - fine);
    return out.mul(kept);
}

} // namespace aianime::train
