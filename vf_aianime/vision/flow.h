// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// CV_8UC1 luma of a CV_32FC3 picture, for flow.
cv::Mat luma(const cv::Mat &picture);

// Dense inverse search (Kroeger et al., ECCV 2016; OpenCV), down to half the resolution, on two CV_8UC1 pictures of one size, at
// least 1x1; pictures too small for the method get zero flow. Result CV_32FC2: what is at p in `from` is at p + flow(p) in `to`.
// Thread safe, deterministic, whatever the number of threads.
cv::Mat flow(const cv::Mat &from, const cv::Mat &to);

// picture sampled at p + flow(p): brings `to`'s picture into `from`'s place. Bicubic, border replicated. Any type remap takes.
cv::Mat warp(const cv::Mat &picture, const cv::Mat &flow);

// CV_32FC1 in [0, 1]: 1 where going along `forward` and back along `backward` returns to the start (Sundaram et al., ECCV 2010, eq.
// 5: |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5), falling to 0 softly, and 0 where p + flow(p) lies outside. The 0.5 is in pixels;
// flows are in cells that are `pixels` of those wide.
cv::Mat consistency(const cv::Mat &forward, const cv::Mat &backward, float pixels = 1);

// Motion from one picture to another of the same size.
struct Motion {
    cv::Mat flow;  // CV_32FC2, as flow() gives it
    cv::Mat valid; // CV_32FC1, as consistency() gives it
};
struct MotionPair {
    Motion there, back;
};
// There and back between two CV_8UC1 pictures.
MotionPair motions(const cv::Mat &from, const cv::Mat &to);

} // namespace aianime::vision
