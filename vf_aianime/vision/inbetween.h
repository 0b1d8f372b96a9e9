// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// A generated picture and the source frame it was made from.
struct StylizedNeighbour {
    cv::Mat source_luma; // CV_8UC1, working size
    cv::Mat source;      // CV_32FC3, working size
    cv::Mat stylized;    // CV_32FC3, working size
};

// The stylized picture for a source frame that lies between two generated ones (the talk's fill-in frames). Both neighbours are
// carried to it along the source's own motion, weighed per pixel by forward-backward consistency, by how well the carried source
// matches the source here, and by closeness in time; where neither shows a pixel, the nearer neighbour's does. One neighbour may be
// null (end of a shot); not both. `position` is 0 at `before`, 1 at `after`. Result CV_32FC3, working size.
cv::Mat inbetween(const cv::Mat &source, const StylizedNeighbour *before, const StylizedNeighbour *after, double position);

} // namespace aianime::vision
