// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace aianime::pipeline {

// Frames [begin, begin + count) of a segment that attend to each other.
struct Window {
    int64_t begin;
    int64_t count;
};

// Windows of `size` frames, each sharing at least `overlap` with the one before; the last is moved back so that it ends with the
// segment and is full where the segment has `size` frames at all. 0 <= overlap < size, frames >= 1.
std::vector<Window> make_windows(int64_t frames, int64_t size, int64_t overlap);

// Weight of each frame of a window when its predictions are fused with those of other windows: a pyramid, 1 at the borders and
// highest in the middle, so that a frame counts most where it sees most neighbours on both sides.
std::vector<double> pyramid_weights(int64_t count);

} // namespace aianime::pipeline
