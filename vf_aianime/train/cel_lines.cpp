// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_lines.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "train/cel_math.h"

namespace aianime::train {
namespace {

// Eyes see ratios; the offset keeps the noise of the darkest pixels out.
cv::Mat log_of(const cv::Mat &luma) {
    cv::Mat out = luma + 0.06f;
    cv::log(out, out);
    return out;
}

// Unit tangents of the edges (CV_32FC2), from the smoothed structure tensor.
cv::Mat tangents(const cv::Mat &picture, float sigma) {
    cv::Mat dx, dy;
    cv::Sobel(picture, dx, CV_32F, 1, 0, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    cv::Sobel(picture, dy, CV_32F, 0, 1, 3, 0.125, 0, cv::BORDER_REFLECT_101);
    const cv::Mat xx = blurred(dx.mul(dx), sigma), xy = blurred(dx.mul(dy), sigma), yy = blurred(dy.mul(dy), sigma);
    cv::Mat out(picture.size(), CV_32FC2);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float a = xx.ptr<float>(y)[x], b = xy.ptr<float>(y)[x], c = yy.ptr<float>(y)[x];
            const float angle = 0.5f * std::atan2(2 * b, a - c);
            out.ptr<cv::Vec2f>(y)[x] = cv::Vec2f(-std::sin(angle), std::cos(angle));
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
    const int reach = static_cast<int>(std::ceil(2 * sigma));
    cv::Mat out(picture.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            float sum = picture.ptr<float>(y)[x], total = 1;
            for (const float side : {-1.f, 1.f}) {
                cv::Vec2f way = side * tangent.ptr<cv::Vec2f>(y)[x];
                float px = static_cast<float>(x), py = static_cast<float>(y);
                for (int i = 1; i <= reach; i++) {
                    px += way[0];
                    py += way[1];
                    const int ix = static_cast<int>(std::lround(px)), iy = static_cast<int>(std::lround(py));
                    if (ix < 0 || iy < 0 || ix >= out.cols || iy >= out.rows)
                        break;
                    const float weight = std::exp(-0.5f * static_cast<float>(i * i) / (sigma * sigma));
                    sum += weight * sample(picture, px, py);
                    total += weight;
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
    const cv::Mat tangent = tangents(logs, 2.2f * scale);
    const cv::Mat thin = along(darker(logs, 0.7f * scale), tangent, 2.5f * scale);
    const cv::Mat wide = along(darker(logs, 1.2f * scale), tangent, 4 * scale);
    cv::Mat out(luma.size(), CV_32FC1);
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            const float f = fine.ptr<float>(y)[x];
            const float a = soft_step(thin.ptr<float>(y)[x], 0.045f, 0.11f);
            const float b = soft_step(wide.ptr<float>(y)[x], 0.06f, 0.13f);
            out.ptr<float>(y)[x] = f * a + (1 - f) * std::max(b, 0.6f * a);
        }
    return out;
}

} // namespace aianime::train
