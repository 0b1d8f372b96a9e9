// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::eval {

// From one frame of the source to another.
struct Motion {
    cv::Mat flow; // CV_32FC2: what is at p here is at p + flow(p) there
    cv::Mat seen; // CV_32FC1 in [0, 1]: 0 where the place is hidden or outside there (vision::consistency)
};

// The same two frames, both ways.
struct Motions {
    Motion back;    // from `here` to `there`
    Motion forward; // from `there` to `here`
};
// CV_32FC3, R G B in [0, 1], of one size.
Motions motions_between(const cv::Mat &here, const cv::Mat &there);

// Whether enough is seen for a score: a hundredth of the picture.
bool shows_enough(const cv::Mat &seen);

// Mean of a CV_32FC1 or CV_64FC1 plane weighted by another of its size, CV_32FC1.
double weighted_mean(const cv::Mat &plane, const cv::Mat &weights);

} // namespace aianime::eval
