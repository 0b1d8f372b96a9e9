// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::train {

// How near a picture is to the one it should be. Pictures are CV_32FC3, R G B in [0, 1]; the two of a pair have one size. All
// throw Error (INVALID) for others.

// Peak signal to noise ratio over all samples, in dB; 99 at most.
double psnr(const cv::Mat &picture, const cv::Mat &target);

// Structural similarity (Wang et al. 2004) as scikit-image's structural_similarity with gaussian_weights, sigma 1.5 and
// use_sample_covariance off: 11x11 window, mean over R, G and B and over the pixels whose window lies inside. Sides of 11 at least.
// weights: CV_32FC1 of the pictures' size, empty for 1 everywhere; 0 where all of them are 0.
double ssim(const cv::Mat &picture, const cv::Mat &target, const cv::Mat &weights = {});

// Whether edges (Canny 60/140 of the 8-bit luma) are where the target has them, a pixel off being near enough.
struct EdgeMatch {
    double precision; // share of the picture's edge pixels that have one of the target's in their 3x3 neighbourhood; 1 without any
    double recall;    // the other way round
    double f1() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }
};
EdgeMatch edge_match(const cv::Mat &picture, const cv::Mat &target);

// Share of pixels that belong to dark lines: thinner than 7 pixels and at least 0.15 darker than what is around them.
double line_density(const cv::Mat &picture);

// How much of a picture repeats with exactly the period of 2, 4 or 8 pixels, as decoders' upsampling does: root mean square in
// 8-bit levels of what stands out of the spectrum around those frequencies, 0 where nothing does. Sides of 64 at least.
struct Blockiness {
    double period2, period4, period8;
};
Blockiness blockiness(const cv::Mat &picture);

} // namespace aianime::train
