// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_smooth.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace aianime::train {
namespace {

cv::Mat bilateral(const cv::Mat &lab, float range, float space) {
    cv::Mat out;
    const int diameter = 2 * static_cast<int>(std::ceil(1.5f * space)) + 1;
    cv::bilateralFilter(lab, out, diameter, range, space, cv::BORDER_REFLECT_101);
    return out;
}

// Of nine round windows about a pixel, the calm ones count: patches get even, edges steep. Smooth weights keep it stable under
// noise. Windows are Gaussian, so one blur serves all of them.
class Patches {
public:
    Patches(const cv::Mat &lab, float sigma) {
        cv::GaussianBlur(lab, mean_, cv::Size(), sigma, sigma, cv::BORDER_REFLECT_101);
        cv::Mat squares = sum_of_squares(lab), mean_squares;
        cv::GaussianBlur(squares, mean_squares, cv::Size(), sigma, sigma, cv::BORDER_REFLECT_101);
        const cv::Mat variance = mean_squares - sum_of_squares(mean_);
        weight_.create(lab.size(), CV_32FC1);
        for (int y = 0; y < lab.rows; y++) {
            const float *in = variance.ptr<float>(y);
            float *out = weight_.ptr<float>(y);
            for (int x = 0; x < lab.cols; x++) {
                const float calm = 1 / (1 + std::max(in[x], 0.f) / 12);
                out[x] = calm * calm * calm * calm + 1e-7f;
            }
        }
    }

    cv::Mat mix(float radius) const {
        const int straight = std::max(1, static_cast<int>(std::lround(radius)));
        const int diagonal = std::max(1, static_cast<int>(std::lround(0.7071f * radius)));
        const std::vector<cv::Point> places = {{0, 0},
                                               {straight, 0},
                                               {-straight, 0},
                                               {0, straight},
                                               {0, -straight},
                                               {diagonal, diagonal},
                                               {-diagonal, diagonal},
                                               {diagonal, -diagonal},
                                               {-diagonal, -diagonal}};
        cv::Mat mean, weight;
        cv::copyMakeBorder(mean_, mean, straight, straight, straight, straight, cv::BORDER_REFLECT_101);
        cv::copyMakeBorder(weight_, weight, straight, straight, straight, straight, cv::BORDER_REFLECT_101);
        cv::Mat out(mean_.size(), CV_32FC3);
        for (int y = 0; y < out.rows; y++)
            for (int x = 0; x < out.cols; x++) {
                cv::Vec3f sum(0, 0, 0);
                float total = 0;
                for (const cv::Point &p : places) {
                    const float w = weight.ptr<float>(y + straight + p.y)[x + straight + p.x];
                    sum += w * mean.ptr<cv::Vec3f>(y + straight + p.y)[x + straight + p.x];
                    total += w;
                }
                out.ptr<cv::Vec3f>(y)[x] = sum / total;
            }
        return out;
    }

private:
    static cv::Mat sum_of_squares(const cv::Mat &lab) {
        cv::Mat out(lab.size(), CV_32FC1);
        for (int y = 0; y < lab.rows; y++) {
            const cv::Vec3f *in = lab.ptr<cv::Vec3f>(y);
            float *to = out.ptr<float>(y);
            for (int x = 0; x < lab.cols; x++)
                to[x] = in[x].dot(in[x]);
        }
        return out;
    }

    cv::Mat mean_, weight_;
};

} // namespace

cv::Mat flatten(const cv::Mat &lab, float scale, const cv::Mat &detail) {
    const cv::Mat calm = bilateral(bilateral(lab, 10, 2.2f * scale), 8, 2.2f * scale);
    const cv::Mat patches = Patches(calm, 1.6f * scale).mix(2.6f * scale);
    const cv::Mat fine = Patches(calm, 0.8f * scale).mix(1.4f * scale);
    cv::Mat out(lab.size(), CV_32FC3);
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            const float keep = detail.ptr<float>(y)[x];
            out.ptr<cv::Vec3f>(y)[x] = keep * fine.ptr<cv::Vec3f>(y)[x] + (1 - keep) * patches.ptr<cv::Vec3f>(y)[x];
        }
    return bilateral(out, 6, 2 * scale);
}

float brightness_gain(const cv::Mat &luma) {
    constexpr int bins = 1024;
    std::vector<int64_t> count(bins, 0);
    for (int y = 0; y < luma.rows; y++)
        for (int x = 0; x < luma.cols; x++)
            count[static_cast<size_t>(std::clamp(luma.ptr<float>(y)[x], 0.f, 1.f) * (bins - 1))]++;
    const int64_t wanted = static_cast<int64_t>(luma.total()) * 98 / 100;
    int64_t below = 0;
    int bin = 0;
    while (bin < bins - 1 && below + count[static_cast<size_t>(bin)] < wanted)
        below += count[static_cast<size_t>(bin++)];
    const float bright = static_cast<float>(bin + 1) / bins;
    return std::clamp(std::pow(0.94f / bright, 0.85f), 0.8f, 2.2f);
}

cv::Mat brightened(const cv::Mat &rgb, float gain) {
    constexpr float knee = 0.8f;
    cv::Mat out(rgb.size(), CV_32FC3);
    for (int y = 0; y < rgb.rows; y++)
        for (int x = 0; x < rgb.cols; x++) {
            cv::Vec3f color = gain * rgb.ptr<cv::Vec3f>(y)[x];
            const float most = std::max({color[0], color[1], color[2]});
            // Gains below 1 leave the knee to pictures that are all white.
            if (gain > 1 && most > knee) {
                const float room = gain - knee, over = most - knee;
                // From knee to `gain` down to knee to 1, with slope 1 at the knee: the harmonic curve through both ends.
                const float held = knee + over / (1 + over * (1 / (1 - knee) - 1 / room));
                color *= held / most;
            }
            out.ptr<cv::Vec3f>(y)[x] = color;
        }
    return out;
}

cv::Mat luma_of(const cv::Mat &rgb) {
    cv::Mat out;
    cv::transform(rgb, out, cv::Matx13f(0.299f, 0.587f, 0.114f));
    return out;
}

} // namespace aianime::train
