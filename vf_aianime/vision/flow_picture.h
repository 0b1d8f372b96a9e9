// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// A flow, CV_32FC2, as colours on the wheel of Baker et al. (A Database and Evaluation Methodology for Optical Flow, IJCV 2011):
// the hue is the direction, the farthest motion of the picture is fully saturated, none is white. CV_32FC3, R, G, B in [0, 1], in
// steps of 1/255, as torchvision's flow_to_image makes it.
cv::Mat flow_picture(const cv::Mat &flow);

} // namespace aianime::vision
