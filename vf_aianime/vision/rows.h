// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// Calls row(y) for every y below `rows`, several at a time. The calls must not depend on each other and must not throw.
template <typename Row>
void for_rows(int rows, const Row &row) {
    cv::parallel_for_(cv::Range(0, rows), [&](const cv::Range &range) {
        for (int y = range.start; y < range.end; y++)
            row(y);
    });
}

} // namespace aianime::vision
