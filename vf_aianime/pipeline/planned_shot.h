// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "pipeline/shot_view.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// A shot as a plan says it is: nothing is looked for. Only the key frame and the faces' pictures are taken from the frames, where
// the plan says they are.
class PlannedShot final : public ShotView {
public:
    // Warns where the video has no such key frame in the shot's first segment.
    PlannedShot(const ShotFacts &planned, const Watch &watch);

private:
    void see(const ReadFrame &frame) override;
    void gather() override;

    const Watch &watch_;
    const int64_t key_pts_;
    const double score_;
    bool found_ = false, warned_ = false;
};

} // namespace aianime::pipeline
