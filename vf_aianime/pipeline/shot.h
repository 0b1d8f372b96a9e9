// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/generator.h"
#include "pipeline/settings.h"
#include "pipeline/shot_fusion.h"
#include "pipeline/understanding.h"
#include "vision/color_lock.h"
#include "vision/inbetween.h"

namespace aianime::pipeline {

// A frame made by the networks, shared by the output frames that are drawn from it. `made` is set once, when nothing will change it
// any more.
struct GeneratedFrame {
    SourcePicture source;
    int64_t pts = 0;
    double time = 0; // seconds, FrameClock
    int shot = 0;
    int segment = 0;
    std::shared_ptr<const ShotFacts> facts; // of the shot; set once it was looked at
    bool made = false;
    bool passed = false;                 // generation failed and on_error is pass: the source frames stand
    vision::StylizedNeighbour neighbour; // scaled (unpadded) working size; filled when made
};

// The frames of one shot on their way through the networks: collects them into segments, runs a segment when it is full or the shot
// ends, cross-fades the frames that two segments share, and fuses neighbours along the motion. Holds at most one segment and what
// fusion looks at.
class Shot {
public:
    Shot(int number, const Settings &settings, const vision::WorkingSize &size, Generator &generator, Understanding &understanding,
         Watch &watch, int &next_segment);

    // Adds a frame, in order. May run the networks. `frame` becomes `made` now or in a later call. picture: what is looked at,
    // CV_32FC3 in [0, 1], of any size; not kept.
    void add(const std::shared_ptr<GeneratedFrame> &frame, const cv::Mat &picture);
    // The shot has ended: everything added becomes `made`.
    void finish();

    int number() const { return number_; }

private:
    void run_segment();
    void tell();
    std::vector<Person> people() const;
    std::vector<cv::Mat> generate();
    void cross_fade(std::vector<cv::Mat> &pictures) const;
    void settle(size_t count, const std::vector<cv::Mat> &pictures);
    void deliver_fused();
    void deliver(GeneratedFrame &frame, const cv::Mat &picture);
    void lock_colors(vision::StylizedNeighbour &frame);
    size_t shared_frames() const;

    const int number_;
    const Settings &settings_;
    const vision::WorkingSize &size_;
    Generator &generator_;
    Understanding &understanding_;
    Watch &watch_;
    int &next_segment_;

    std::unique_ptr<Understanding::Shot> known_;             // null before the first frame
    std::vector<SourcePicture> anchors_;                     // first frame and key frame, chosen when the first segment runs
    std::optional<vision::ColorLock> color_lock_;            // to the shot's first frame that was made
    std::vector<std::shared_ptr<GeneratedFrame>> collected_; // begins with the frames shared with the last segment
    std::vector<cv::Mat> carried_;                           // those frames as the last segment made them
    ShotFusion fusion_;
    std::deque<std::shared_ptr<GeneratedFrame>> fusing_; // that are in fusion_
};

// The i-th of the frames that two segments share, in the earlier segment's version and the later one's: faded so that the later one
// counts by (i + 1) / (shared + 1). A version that is empty counts for nothing.
cv::Mat cross_faded(const cv::Mat &earlier, const cv::Mat &later, size_t i, size_t shared);

} // namespace aianime::pipeline
