// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/frame_clock.h"

#include <algorithm>
#include <cmath>

namespace aianime::pipeline {

namespace {

constexpr double largest_gap = 2.0; // seconds

double quotient(aianime_rational value, double fallback) {
    return value.num > 0 && value.den > 0 ? static_cast<double>(value.num) / value.den : fallback;
}

} // namespace

FrameClock::FrameClock(aianime_rational time_base, aianime_rational frame_rate, double generate_fps)
    : time_base_(quotient(time_base, 1.0 / 90000)), frame_step_(1.0 / quotient(frame_rate, 25.0)), generate_fps_(generate_fps) {}

FrameClock::Tick FrameClock::next(int64_t pts, bool starts_shot) {
    if (started_) {
        double step = frame_step_;
        if (pts != AIANIME_NO_PTS && last_pts_ != AIANIME_NO_PTS) {
            const double measured = (static_cast<double>(pts) - static_cast<double>(last_pts_)) * time_base_;
            if (measured >= 0)
                step = std::min(measured, largest_gap);
        }
        time_ += step;
    }
    started_ = true;
    last_pts_ = pts;

    Tick tick{true, time_, 0};
    const double source_time = pts != AIANIME_NO_PTS ? static_cast<double>(pts) * time_base_ : time_;
    // Beyond 2^53 microseconds a double is not exact, but still the same everywhere.
    tick.identity = static_cast<int64_t>(std::llround(std::fmod(source_time * 1e6, 9e18)));

    if (starts_shot) {
        grid_start_ = time_;
        grid_index_ = 0;
    } else if (generate_fps_ > 0) {
        // A tenth of a millisecond forgives timestamps that were rounded to a coarse time base.
        const auto index = static_cast<int64_t>(std::floor((time_ - grid_start_ + 1e-4) * generate_fps_));
        tick.generate = index > grid_index_;
        grid_index_ = std::max(grid_index_, index);
    }
    return tick;
}

void FrameClock::reset() {
    started_ = false;
    last_pts_ = AIANIME_NO_PTS;
    time_ = 0;
    grid_start_ = 0;
    grid_index_ = 0;
}

} // namespace aianime::pipeline
