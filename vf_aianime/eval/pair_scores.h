// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "eval/motion.h"

namespace aianime::eval {

// Scores of pictures made of frames between which the source moves as a Motion says. All pictures are CV_32FC3, R G B in [0, 1],
// and of the motion's size. Each is no_score where too little is seen in both frames.

// Mean absolute difference of R, G and B between `here` and the picture before it carried here, in 8-bit levels.
double pair_error(const cv::Mat &here, const cv::Mat &before, const Motion &to_before);

// Structural similarity of the same two pictures; also no_score for pictures smaller than its window.
double pair_similarity(const cv::Mat &here, const cv::Mat &before, const Motion &to_before);

// What comes and goes within three frames: root mean square of the luma's difference from the mean of both neighbours carried here,
// in 8-bit levels. What changes steadily does not count.
double flicker_between(const cv::Mat &before, const cv::Mat &here, const cv::Mat &after, const Motion &to_before,
                       const Motion &to_after);

// Whether fine structure moves with things or stays where it is on the screen.
struct Texture {
    double flow;    // share of its energy that the picture before, carried along the flow, explains
    double screen;  // the same of the picture before as it is
    double follows; // of what only one of the two explains, the flow's part: 1 moves with things, 0 stays on the screen
};
// Where the source moves by a pixel at least; no_score where that is too little of the picture or there is no fine structure.
Texture texture_between(const cv::Mat &here, const cv::Mat &before, const Motion &to_before);

} // namespace aianime::eval
