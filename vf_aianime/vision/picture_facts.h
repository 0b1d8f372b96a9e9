// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace aianime::vision {

// A colour that covers much of a picture.
struct NamedColor {
    std::string name; // black gray white beige brown red orange yellow green teal blue purple pink
    double share;     // of the picture's pixels
    cv::Vec3f lab;    // its mean, CIE L*a*b* (D65)
};

enum class Place { unknown, indoors, outdoors };
enum class Brightness { dark, dim, normal, bright };
enum class Contrast { low, normal, high };
enum class Cast { none, warm, cold };

// What a picture is like, by statistics of its pixels in CIE L*a*b* (L* from 0 to 100) at a long side of 256. Guesses are
// conservative: what is not plain is unknown, normal or none. Formulas: docs/understanding.md and picture_facts.cpp.
struct PictureFacts {
    Brightness brightness = Brightness::normal; // by the mean of L*: below 15, 32, above 72
    Contrast contrast = Contrast::normal;       // from the 5th to the 95th percentile of L*: below 30, above 85
    bool low_key = false;                       // mostly dark, with lights in it
    bool high_key = false;                      // mostly bright, hardly anything dark
    bool backlit = false;                       // the subject is dark before a bright background
    Cast cast = Cast::none;                     // of the light, where nearly all greys lean to yellow or blue
    bool grey = false;                          // no colour at all
    bool monochrome = false;                    // grey, or shades of one hue
    bool colorful = false;                      // strong colours of at least four names
    bool plain_background = false;              // hardly any structure around the subject
    bool blurred_background = false;            // structure, but less sharp than the subject
    std::vector<NamedColor> palette;            // up to 3, the largest first, each at least a tenth
    double sky = 0, plants = 0;                 // shares of the picture
    Place place = Place::unknown;
    double place_confidence = 0; // of indoors or outdoors, in [0, 1]; `place` is unknown below 0.6
};

// rgb: CV_32FC3 in [0, 1]; R, G, B; at least 16x16. faces: boxes in shares of the picture; they are the subject, the middle of the
// picture where there are none. The same picture gives the same facts anywhere. Throws Error (INVALID) for other pictures.
PictureFacts picture_facts(const cv::Mat &rgb, const std::vector<cv::Rect2f> &faces = {});

// The name of a colour, as in NamedColor.
std::string color_name(const cv::Vec3f &lab);

} // namespace aianime::vision
