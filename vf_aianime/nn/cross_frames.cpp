// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_frames.h"

#include "nn/aten.h"

namespace aianime::nn {

const FlowField &CrossFrames::on_grid(int64_t height, int64_t width) {
    const auto found = resized.find({height, width});
    if (found != resized.end())
        return found->second;
    return resized[{height, width}] = resize_flow(places, height, width);
}

} // namespace aianime::nn
