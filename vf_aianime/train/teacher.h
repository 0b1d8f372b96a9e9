// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace aianime::train {

// Where a face is, in pixels; eyes and mouth as polygons' bounding boxes.
struct FaceMark {
    cv::Rect2f box, left_eye, right_eye, mouth;
};

// What all styles of one picture share; the slow part of the teacher. 8 bits each, so that it can be kept as PNGs, and cropped,
// mirrored and scaled like the picture itself.
struct CelBase {
    cv::Mat flat;  // CV_8UC3, R G B: smoothed, luminance normalised, not yet quantised
    cv::Mat lines; // CV_8UC1: strength of dark lines
    cv::Mat marks; // CV_8UC4: how much a pixel belongs to the backdrop's free region, to the clothes' or hair's free region, how
                   // bright a highlight it carries, and how far its tones run smoothly instead of in steps
};
// rgb: CV_32FC3, R G B in [0, 1].
CelBase cel_base(const cv::Mat &rgb, const std::vector<FaceMark> &faces = {});

// Hue of what the source does not determine, in degrees, for the two free regions; below 0: as in the source.
struct FreeColors {
    float backdrop = -1;
    float cloth = -1;
};

struct CelStyle {
    std::string name;   // "pop"
    std::string prompt; // "pop anime style"
    // further members are the teacher's own
    int index;
};
const std::vector<CelStyle> &cel_styles();

// Pixel by pixel, no neighbours: a crop of the base gives the crop of the picture. CV_32FC3, R G B in [0, 1].
cv::Mat cel_picture(const CelBase &base, const CelStyle &style, const FreeColors &free = {});

// The hues random palettes are drawn from, evenly spread so that their mean is gray, with the words that name them in a prompt.
struct HueWord {
    float hue;
    std::string word;
};
const std::vector<HueWord> &hue_words();

} // namespace aianime::train
