// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// Chroma planes (CV_32FC1) between their own size and the luma's. Siting is MPEG-2's: on the luma column to the left, halfway
// between two luma rows. Upsampling is bilinear (exactly so for one halving a direction; a second halving repeats the step).
// Downsampling uses the filters biorthogonal to that, so that it undoes upsampling exactly, borders and odd sizes included, and
// still averages what a picture of full chroma resolution holds.
cv::Mat upsample_chroma(const cv::Mat &plane, cv::Size full, int log2_w, int log2_h);
cv::Mat downsample_chroma(const cv::Mat &plane, int log2_w, int log2_h);

} // namespace aianime::vision
