// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// What ControlNets are shown, of kinds that need no network. All take a CV_32FC3 picture in the order R, G, B with values in [0, 1]
// at the size the networks work at, and give another of the same size and type; the same picture always gives the same result.

// White edges on black by cv::Canny of the 8-bit picture, at whose three channels together the thresholds are meant.
// For control_v11p_sd15_canny, trained with thresholds drawn at random around these.
cv::Mat canny_edges(const cv::Mat &rgb, double low = 100, double high = 200);

// The picture without its fine detail: reduced by area to 1 / 2^halvings, enlarged again by that many Gaussian pyramid steps.
// For control_v11f1e_sd15_tile, trained on pictures reduced 8 times.
cv::Mat tile_picture(const cv::Mat &rgb, int halvings = 3);

// Gaussian blur; sigma in pixels. For ControlNets trained on blurred pictures, and for control_v11f1e_sd15_tile.
cv::Mat gaussian_blur(const cv::Mat &rgb, double sigma = 9);

// White lines on black where the picture is darker than its surroundings in every channel, as drawn lines are: a thresholded
// difference of Gaussians (XDoG, sigmas 0.5 and 5). `threshold` is in code values of 8 bit, doubled; a smaller one gives more
// lines. For control_v11p_sd15_scribble.
cv::Mat scribble_lines(const cv::Mat &rgb, double threshold = 32);

// Flat squares of `cell` pixels in their mean colour. The mean, not a cubic sample as in the adapter's training: noise does not
// move it, so that it does not flicker. For colour grids (T2I-Adapter's color and ControlNets trained as it was).
cv::Mat color_grid(const cv::Mat &rgb, int cell = 64);

} // namespace aianime::vision
