// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/windows.h"

#include <algorithm>

namespace aianime::pipeline {

std::vector<Window> make_windows(int64_t frames, int64_t size, int64_t overlap) {
    if (frames <= size)
        return {{0, frames}};
    std::vector<Window> windows;
    const int64_t stride = size - overlap;
    for (int64_t begin = 0; begin + size < frames; begin += stride)
        windows.push_back({begin, size});
    windows.push_back({frames - size, size});
    return windows;
}

std::vector<double> pyramid_weights(int64_t count) {
    std::vector<double> weights(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i)
        weights[static_cast<size_t>(i)] = static_cast<double>(std::min(i, count - 1 - i) + 1);
    return weights;
}

} // namespace aianime::pipeline
