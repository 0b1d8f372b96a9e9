// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aianime::eval {

// A frame that is scored.
struct FrameInfo {
    size_t number;  // in the clip, from 0
    double time;    // seconds since the first
    int shot;       // from 0
    bool generated; // made by the networks, not from its neighbours
};

// Which pairs of a frame and the one before it lie across a border: from the last frame before what two segments (or windows) share
// to the first one behind it. One flag a frame. Sizes count generated frames.
std::vector<bool> across_segments(const std::vector<FrameInfo> &frames, int64_t segment, int64_t overlap);
// Those of the windows in each segment.
std::vector<bool> across_windows(const std::vector<FrameInfo> &frames, int64_t segment, int64_t window, int64_t overlap);
// Those of the frames that begin something, by their numbers in the clip.
std::vector<bool> across_borders(const std::vector<FrameInfo> &frames, const std::vector<size_t> &borders);

// Mean of the errors across borders by the mean of the others. no_score where there is neither one nor the other, or no error.
double seam_ratio(const std::vector<double> &errors, const std::vector<bool> &across);

} // namespace aianime::eval
