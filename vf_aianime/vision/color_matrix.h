// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "include/aianime.h"

namespace aianime::vision {

// The affine map between the three code values of a pixel and its R, G, B, with matrix, range and depth folded in. Gray uses the
// first code only: to_rgb has a zero column for the others and from_rgb's first row is the luma.
struct CodeTransform {
    cv::Matx33f to_rgb;
    cv::Vec3f to_rgb_offset;
    cv::Matx33f from_rgb;
    cv::Vec3f from_rgb_offset;
};

// The frame's matrix code, with "unspecified" resolved by FFmpeg's convention (see color.h). 0 for RGB pictures.
int effective_matrix(const aianime_frame &frame);

// Throws Error (INVALID) that names the code where the matrix or the range has no definition here.
CodeTransform code_transform(const aianime_frame &frame);

} // namespace aianime::vision
