// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <deque>

namespace aianime::vision {

// Streaming cut detection: each frame is compared with those before it, so that the answer does not wait for later frames. A cut
// is a change of colours and structure far above what the last frames showed; flashes, fast motion and fades are not cuts. A fade
// through black or white to another scene starts a shot where the new scene appears, a dissolve where the new scene outweighs.
class ShotDetector {
public:
    // True when `picture` (CV_32FC3, any size; it is scaled down inside) begins a new shot. The first picture after reset() does.
    bool starts_shot(const cv::Mat &picture);
    void reset();

private:
    bool is_cut(const cv::Mat &colors, const cv::Mat &gray, const cv::Mat &histogram);
    bool ends_dissolve(const cv::Mat &gray) const;

    std::deque<cv::Mat> recent_;    // small gray pictures of this shot, the last one at the back; blank ones are left out
    cv::Mat previous_;              // the last picture in recent_, small, in colours
    cv::Mat previous_histogram_;    // its colours
    double typical_change_ = 0;     // running mean within the shot
    bool blank_in_between_ = false; // since the last picture in recent_
    size_t no_dissolve_ = 0;        // for so many pictures yet: one has just ended, or a fade
    bool any_ = false;
};

} // namespace aianime::vision
