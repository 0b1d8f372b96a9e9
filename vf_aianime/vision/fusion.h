// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <vector>

#include "vision/flow.h"

namespace aianime::vision {

// Motion between two frames, by their numbers, the earlier one first; each pair is asked for once.
using MotionsOf = std::function<MotionPair(size_t from, size_t to)>;

// The same things look the same in neighbouring frames: each stylized picture becomes the mean of itself and of those up to `reach`
// frames away, carried to it along the source's motion. A neighbour counts where the motion can be trusted and the carried source
// is the source that is there; hidden places, light that changes and cuts so keep what they are. What was drawn by chance averages
// out; lines stay, because they are carried with bicubic weights and not blurred.
//
// sources, stylized: CV_32FC3 of one size; an empty stylized picture is left alone and gives nothing. The first `kept` pictures
// give but are not changed. Memory: reach + 1 pictures more. Thread safe.
std::vector<cv::Mat> fuse_along_motion(const std::vector<cv::Mat> &sources, const std::vector<cv::Mat> &stylized,
                                       const MotionsOf &motions, size_t reach, size_t kept);

} // namespace aianime::vision
