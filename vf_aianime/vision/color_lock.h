// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

namespace aianime::vision {

// Keeps the colours of a shot where its anchor has them. What a source colour became in the anchor it becomes in every frame: where
// the source shows the same colours and the stylized ones have moved, they are moved back, as a whole; where the source's own
// colours change, because the light does, the stylized ones follow. A function of anchor and frame only, so that a frame is the
// same in whatever order and in whatever share frames are made.
class ColorLock {
public:
    // The anchor: CV_32FC3, R G B in [0, 1], source and stylized of one size.
    ColorLock(const cv::Mat &source, const cv::Mat &stylized);

    // `stylized` without its drift, in [0, 1]; strength from 0 (as it is) to 1.
    cv::Mat apply(const cv::Mat &source, const cv::Mat &stylized, double strength) const;

private:
    struct Color {                  // of the source, in bins
        cv::Vec3d source, stylized; // means, L*a*b*
        double share = 0;           // of the picture
    };
    struct Line { // at(x) = offset + slope * (x - center)
        cv::Vec3d center, offset;
        cv::Matx33d slope = cv::Matx33d::zeros();
        cv::Vec3d at(const cv::Vec3d &x) const { return offset + slope * (x - center); }
    };
    struct Point {
        cv::Vec3d x, y;
        double weight;
    };
    static std::vector<Color> colors_of(const cv::Mat &source, const cv::Mat &stylized);
    static Line fit(const std::vector<Point> &points, const std::vector<double> &weights);
    static Line correction(const std::vector<Point> &shifts);
    std::vector<Point> shifts_of(const std::vector<Color> &frame) const;

    std::vector<Color> anchor_;
    Line style_; // roughly, what the anchor's source colours became
};

} // namespace aianime::vision
