// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "include/aianime.h"

namespace aianime::vision {

// Pictures inside the library are CV_32FC3 in the order R, G, B, nominal range [0, 1], the source's own transfer (gamma), any size.

// Refuses a frame the conversions cannot serve: null planes, components outside 1..4, depths outside 8..16, sizes below 1, rows
// longer than their linesize, matrix codes without coefficients. Throws Error (INVALID); PQ and HLG name the filter to put in
// front.
void check_frame(const aianime_frame &frame);

// Samples to RGB with the frame's own matrix and range. Unspecified matrix: BT.709 from 1280 wide or 577 high on, else BT.601,
// FFmpeg's convention; unspecified range: limited for YUV, full for RGB and gray. Subsampled chroma is interpolated bilinearly at
// the left-cosited position (MPEG-2 siting). Gray gives three equal channels. Codes that no RGB picture has give values outside
// [0, 1], unclipped.
cv::Mat to_rgb(const aianime_frame &frame);

// RGB of the frame's size (CV_32FC3) to samples in `out`, with the matrix and range of `source`, rounding to nearest and clipping
// to what the depth holds; chroma is filtered down to the position to_rgb reads it at. Alpha is copied from `source`. `out` has the
// same format and size. Gray gets the luma. to_rgb followed by from_rgb changes no sample by more than one code value.
void from_rgb(const cv::Mat &rgb, const aianime_frame &source, aianime_frame &out);

// Copies every sample as it is. Both frames have the same format and size.
void copy_frame(const aianime_frame &source, aianime_frame &out);

} // namespace aianime::vision
