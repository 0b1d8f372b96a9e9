// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/windows.h"

#include <algorithm>
#include <cmath>

namespace aianime::pipeline {

std::vector<Window> make_windows(int64_t frames, int64_t size, int64_t overlap, bool shifted) {
    if (frames <= size)
        return {{0, frames}};
    const int64_t own = frames - overlap, stride = size - overlap, count = (own + stride - 1) / stride;
    std::vector<int64_t> borders;
    if (shifted)
        borders.push_back(0);
    for (int64_t i = 0; i < count; i++)
        borders.push_back((2 * i + (shifted ? 1 : 0)) * own / (2 * count));
    borders.push_back(own);
    std::vector<Window> windows;
    for (size_t i = 0; i + 1 < borders.size(); i++)
        if (borders[i] < borders[i + 1]) // half of a single frame is none
            windows.push_back({borders[i], borders[i + 1] - borders[i] + overlap});
    return windows;
}

std::vector<Window> make_full_windows(int64_t frames, int64_t size, int64_t overlap, bool shifted) {
    if (frames <= size)
        return {{0, frames}};
    std::vector<Window> windows;
    const int64_t stride = size - overlap, earlier = shifted ? stride / 2 : 0;
    for (int64_t begin = -earlier; begin + size < frames; begin += stride)
        windows.push_back({std::max<int64_t>(begin, 0), std::min(begin, int64_t{0}) + size});
    windows.push_back({frames - size, size});
    return windows;
}

std::vector<double> window_weights(WindowWeights kind, int64_t count) {
    std::vector<double> weights;
    for (int64_t i = 0; i < count; ++i) {
        const double from_middle =
            (static_cast<double>(i) - 0.5 * static_cast<double>(count - 1)) / (0.25 * static_cast<double>(count));
        switch (kind) {
        case WindowWeights::flat:
            weights.push_back(1);
            break;
        case WindowWeights::pyramid:
            weights.push_back(static_cast<double>(std::min(i, count - 1 - i) + 1));
            break;
        case WindowWeights::gaussian:
            weights.push_back(std::exp(-0.5 * from_middle * from_middle));
            break;
        }
    }
    return weights;
}

} // namespace aianime::pipeline
