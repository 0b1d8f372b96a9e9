// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/motion.h"

#include "vision/flow.h"

namespace aianime::eval {

namespace {

constexpr double least_share = 0.01;

} // namespace

Motions motions_between(const cv::Mat &here, const cv::Mat &there) {
    const cv::Mat a = vision::luma(here), b = vision::luma(there);
    Motions motions;
    motions.back.flow = vision::flow(a, b);
    motions.forward.flow = vision::flow(b, a);
    motions.back.seen = vision::consistency(motions.back.flow, motions.forward.flow);
    motions.forward.seen = vision::consistency(motions.forward.flow, motions.back.flow);
    return motions;
}

bool shows_enough(const cv::Mat &seen) { return !seen.empty() && cv::mean(seen)[0] >= least_share; }

double weighted_mean(const cv::Mat &plane, const cv::Mat &weights) {
    cv::Mat values, by;
    plane.convertTo(values, CV_64F);
    weights.convertTo(by, CV_64F);
    return values.dot(by) / cv::sum(by)[0];
}

} // namespace aianime::eval
