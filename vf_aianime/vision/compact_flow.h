// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "vision/flow.h"

namespace aianime::vision {

// Flow there and back in an eighth of its memory: at half the resolution, rounded up, in steps of 1/32 pixel of the whole one, at
// most 1023 pixels. What consistency() says follows from it.
struct CompactFlows {
    cv::Size size;       // of the pictures
    cv::Mat there, back; // CV_16SC2

    size_t bytes() const { return there.total() * there.elemSize() + back.total() * back.elemSize(); }
};

// there, back: CV_32FC2. doubled: they were enlarged twofold, as flow() does; of even sides nothing is lost then but the rounding.
CompactFlows compact(const cv::Mat &there, const cv::Mat &back, bool doubled);

// At the pictures' size.
MotionPair expanded(const CompactFlows &flows);

// As they are stored, at half of it, in cells of that size: for grids that are coarser still.
MotionPair halved(const CompactFlows &flows);

} // namespace aianime::vision
