// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "include/aianime.h"

namespace aianime::pipeline {

// Time of source frames, and which of them are generated. Output timestamps are never touched by this; it only chooses.
//
// A frame's time comes from its own pts. Where that is missing or runs backwards, the clock goes on by one frame of the nominal
// rate; a gap counts as two seconds at most.
class FrameClock {
public:
    // time_base {0, 0} = 1/90000; frame_rate {0, 0} = 25; generate_fps 0 = every frame.
    FrameClock(aianime_rational time_base, aianime_rational frame_rate, double generate_fps);

    struct Tick {
        bool generate;    // the frame is to be made by the networks
        double time;      // seconds since the first frame, never falling
        int64_t identity; // source time in microseconds, what the frame's noise is drawn by
    };
    // Next frame in order. The first frame of a shot is always generated and starts the grid of 1 / generate_fps anew.
    Tick next(int64_t pts, bool starts_shot);
    void reset();

private:
    double time_base_;
    double frame_step_;
    double generate_fps_;
    bool started_ = false;
    int64_t last_pts_ = AIANIME_NO_PTS;
    double time_ = 0;
    double grid_start_ = 0;
    int64_t grid_index_ = 0;
};

} // namespace aianime::pipeline
