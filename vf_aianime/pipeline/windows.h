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

// As few windows of at most `size` frames as will do, each sharing `overlap` with the one before, as long as each other to a frame.
// With `shifted` the borders lie in the middle between those: one window more, the first and the last half as long.
// 0 <= overlap < size, frames >= 1.
std::vector<Window> make_windows(int64_t frames, int64_t size, int64_t overlap, bool shifted = false);

// The same with every window full, for what was trained with so many frames: the last one is moved back so that it ends with the
// segment. With `shifted` the borders lie half a stride earlier: the first window is that much shorter.
std::vector<Window> make_full_windows(int64_t frames, int64_t size, int64_t overlap, bool shifted = false);

// How a frame's predictions are weighed where it lies in several windows: all the same; 1 at a window's borders and rising evenly
// to its middle, where a frame sees most neighbours on both sides; or falling from the middle like a normal distribution whose
// standard deviation is a quarter of the window.
enum class WindowWeights { flat, pyramid, gaussian };

// Weight of each frame of a window, above 0.
std::vector<double> window_weights(WindowWeights kind, int64_t count);

} // namespace aianime::pipeline
