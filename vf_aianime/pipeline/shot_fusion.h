// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <map>
#include <optional>

#include "pipeline/generator.h"
#include "pipeline/optical_flow.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"
#include "vision/fusion.h"

namespace aianime::pipeline {

// Fuses the generated pictures of one shot along the source's motion (vision::MotionFusion), over as many frames as the settings
// say; over none, pictures come out at once as they are. Of the shot's first frame it changes nothing, which looks as it does as a
// picture. It takes pictures as they are when segments are put together, so borders of segments are no borders to it, and what it
// gives is a function of the shot's pictures.
class ShotFusion {
public:
    // `watch` must outlive it.
    ShotFusion(const Settings &settings, OpticalFlow flow, Watch &watch);
    ShotFusion(const ShotFusion &) = delete;
    ShotFusion &operator=(const ShotFusion &) = delete;

    // In order. stylized: in the source's size, or empty.
    void add(const cv::Mat &source, const cv::Mat &stylized);
    // The shot has ended.
    void finish() { fusion_.finish(); }
    std::optional<cv::Mat> take() { return fusion_.take(); }

private:
    // A frame that may still be looked at.
    struct Look {
        cv::Mat source;
        FlowStore::Picture name;
        std::optional<OpticalFlow::View> view; // of what attention did not measure
    };

    vision::MotionPair motions(size_t from, size_t to);
    OpticalFlow::Seen seen(size_t frame);

    const OpticalFlow flow_;
    Watch &watch_;
    std::map<size_t, Look> looks_;
    size_t count_ = 0;
    const size_t reach_;
    vision::MotionFusion fusion_;
};

} // namespace aianime::pipeline
