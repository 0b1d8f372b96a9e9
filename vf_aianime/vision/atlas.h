// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// How a frame lies on the canvas.
struct AtlasPlace {
    cv::Mat place; // CV_32FC2: the canvas pixel of each pixel of the frame
    cv::Mat valid; // CV_32FC1 in [0, 1]: whether the canvas shows there what the frame shows here
};

// One picture of all that a shot shows, and each frame's way to it: the idea of Layered Neural Atlases (Kasten et al., SIGGRAPH
// Asia 2021) and CoDeF (Ouyang et al., CVPR 2024) with optical flow in place of fitted networks, and one layer. The canvas is the
// shot's first frame with a margin, filled by later frames where they show more. Every frame is found on it by flow to the frame
// before, and corrected by flow to the canvas itself, so that errors do not add up over a long shot.
class AtlasCanvas {
public:
    // first: CV_32FC3; margin: of the canvas on each side.
    AtlasCanvas(const cv::Mat &first, cv::Size margin);
    AtlasCanvas clone() const;

    // The next frame, of the first one's size. Extends the picture where the frame lies on canvas that nothing has shown.
    AtlasPlace add(const cv::Mat &frame);

    cv::Rect first_frame() const { return first_; }     // where it lies on the canvas
    const cv::Mat &picture() const { return picture_; } // CV_32FC3
    const cv::Mat &covered() const { return covered_; } // CV_8UC1: where anything was shown
    // What is covered now will not change any more.
    void settle() { covered_.copyTo(settled_); }

private:
    // Of the pixel, from the frame before.
    AtlasPlace chained(const cv::Mat &luma) const;
    // Gives a place to pixels that have none in `known`: as those around them, or as the frame as a whole moves.
    void complete(const cv::Mat &frame, cv::Mat &place, const cv::Mat &known);
    void correct(const cv::Mat &frame, const cv::Mat &luma, cv::Mat &place) const;
    void extend(const cv::Mat &frame, const cv::Mat &place);
    bool takes(const cv::Vec3f &pixel, cv::Point at) const;
    cv::Mat shown_at(const cv::Mat &place) const;
    cv::Mat agreement(const cv::Mat &frame, const cv::Mat &place) const;

    cv::Rect first_;
    cv::Mat picture_, covered_, settled_;
    cv::Mat sum_, weight_; // of what frames after the first showed: CV_32FC3, CV_32FC1

    // Of the frame before.
    cv::Mat luma_, place_, known_; // CV_8UC1, CV_32FC2, CV_32FC1
    cv::Matx23d motion_;           // its place as an affine map
};

} // namespace aianime::vision
