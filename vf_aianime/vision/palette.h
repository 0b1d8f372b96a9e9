// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "vision/picture_facts.h"

namespace aianime::vision {

// The colours of a CV_32FC3 picture in CIE L*a*b*, by name, the largest first: k-means with 8 clusters from fixed starting points
// (the farthest-first traversal from the mean), whose members count for the name of their cluster's mean.
std::vector<NamedColor> colors_of(const cv::Mat &lab);

} // namespace aianime::vision
