// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// Streaming cut detection: each frame is compared with the one before it, so that the answer does not wait for later frames. A cut
// is a change of colour histogram and structure far above what the last frames showed; flashes, fast motion and fades are not cuts.
class ShotDetector {
public:
    // True when `picture` (CV_32FC3, any size; it is scaled down inside) begins a new shot. The first picture after reset() does.
    bool starts_shot(const cv::Mat &picture);
    void reset();

private:
    cv::Mat previous_small_;
    cv::Mat previous_histogram_;
    double typical_change_ = 0;
};

// How well a picture stands for its shot: sharpness (variance of the Laplacian on a fixed small size), less for very dark and very
// bright.
double key_frame_score(const cv::Mat &picture);

} // namespace aianime::vision
