// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

namespace aianime::eval {

// How far the colours of things are from what they were at the beginning of the shot: differences of L*, a* and b*, medians over
// the places that the source's flow finds again.
class ColorShift {
public:
    // Forgets what was: the next frame is the first of a shot.
    void start_shot() { known_.clear(); }

    // pictures: CV_32FC3, R G B in [0, 1], of one size, the source first; empty for those that have no such frame. One shift each;
    // its numbers are no_score where nothing can be told: for a picture that is empty or was so before, and from the frame on that
    // shows too little of what was known.
    std::vector<cv::Vec3d> add(const std::vector<cv::Mat> &pictures);

private:
    struct Known {
        std::vector<cv::Mat> pictures; // small; L*, a*, b* but for the source, which is first and R, G, B
        cv::Mat source_lab;
        std::vector<cv::Vec3d> shifts;
    };
    bool relate(Known &now, const Known &then) const;

    std::vector<Known> known_; // the frame that the next is compared with, and the last one
    bool lost_ = false;
};

// Speed of the shift in dE (CIE 1976) per minute: the slope of the line through the shifts of each shot, its length taken, averaged
// over the shots by their numbers of frames. no_score where no shot has three shifts over two seconds at least.
double drift_per_minute(const std::vector<double> &times, const std::vector<int> &shots, const std::vector<cv::Vec3d> &shifts);

} // namespace aianime::eval
