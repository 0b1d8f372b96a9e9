// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/compact_flow.h"

#include <opencv2/imgproc.hpp>

namespace aianime::vision {
namespace {

constexpr double steps = 32; // a pixel

// Bilinear enlarging makes (a + 3 b) / 4 and (3 b + c) / 4 of a, b, c. From four such values that follow each other b is found
// again.
cv::Mat before_doubling(const cv::Mat &flow, cv::Size half) {
    const cv::Mat kernel = (cv::Mat_<float>(1, 4) << -0.25f, 0.75f, 0.75f, -0.25f);
    cv::Mat fine, out;
    cv::sepFilter2D(flow, fine, CV_32F, kernel, kernel, cv::Point(1, 1), 0, cv::BORDER_REPLICATE);
    cv::resize(fine, out, half, 0, 0, cv::INTER_NEAREST);
    return out;
}

cv::Mat compact(const cv::Mat &flow, bool doubled) {
    const cv::Size half((flow.cols + 1) / 2, (flow.rows + 1) / 2);
    cv::Mat small, out;
    if (doubled && half * 2 == flow.size())
        small = before_doubling(flow, half);
    else
        cv::resize(flow, small, half, 0, 0, cv::INTER_AREA);
    small.convertTo(out, CV_16S, steps);
    return out;
}

cv::Mat expanded(const cv::Mat &flow, cv::Size size) {
    cv::Mat small, out;
    flow.convertTo(small, CV_32F, 1 / steps);
    cv::resize(small, out, size, 0, 0, cv::INTER_LINEAR);
    return out;
}

cv::Mat halved(const cv::Mat &flow, cv::Size size) {
    const cv::Matx22f cells(static_cast<float>(flow.cols) / static_cast<float>(size.width), 0, 0,
                            static_cast<float>(flow.rows) / static_cast<float>(size.height));
    cv::Mat small, out;
    flow.convertTo(small, CV_32F, 1 / steps);
    cv::transform(small, out, cells);
    return out;
}

} // namespace

CompactFlows compact(const cv::Mat &there, const cv::Mat &back, bool doubled) {
    return {there.size(), compact(there, doubled), compact(back, doubled)};
}

MotionPair expanded(const CompactFlows &flows) {
    const cv::Mat there = expanded(flows.there, flows.size), back = expanded(flows.back, flows.size);
    return {{there, consistency(there, back)}, {back, consistency(back, there)}};
}

MotionPair halved(const CompactFlows &flows) {
    const cv::Mat there = halved(flows.there, flows.size), back = halved(flows.back, flows.size);
    return {{there, consistency(there, back, 2)}, {back, consistency(back, there, 2)}};
}

} // namespace aianime::vision
