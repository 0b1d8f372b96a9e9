// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>

#include <opencv2/core.hpp>

namespace aianime::train {

// Four colours (R G B, 0..1) for tones 0, 1/3, 2/3 and 1.
using Ramp = std::array<cv::Vec3f, 4>;

// What a style does with tone, colour and lines.
struct CelInk {
    const char *name, *prompt;
    Ramp gray;        // what neutral pixels become
    Ramp skin;        // what skin becomes
    float skin_share; // how far skin follows its ramp
    float chroma;     // colours' gain
    cv::Matx33f turn; // of the colours (R G B less luma)
    float gamma;      // of the tone before it is quantised: below 1 is brighter
    float steps;      // number of tones
    float edge;       // how hard the steps are: largest slope
    cv::Vec3f ink;
    float ink_share;                        // how much lines cover
    float free_low, free_high, free_chroma; // Lab lightness and chroma of free colours
};

// In the order of cel_styles().
const std::array<CelInk, 8> &cel_inks();

} // namespace aianime::train
