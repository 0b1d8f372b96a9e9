// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/latent_fusion.h"

#include <algorithm>

#include "nn/aten.h"
#include "nn/flow_gather.h"

namespace aianime::pipeline {

at::Tensor fuse_latents(const at::Tensor &clean, int64_t frames, const std::function<bool(int64_t frame)> &fixed,
                        FrameFlows &flows) {
    at::Tensor change = at::zeros_like(clean);
    for (int64_t frame = 0; frame < frames; frame++) {
        if (fixed(frame))
            continue;
        at::Tensor sum = at::zeros_like(clean[frame]), weight = at::ones({1, clean.size(2), clean.size(3)});
        const int64_t first = std::max<int64_t>(frame - latent_fusion_reach, 0),
                      last = std::min(frame + latent_fusion_reach, frames - 1);
        for (int64_t other = first; other <= last; other++) {
            if (other == frame)
                continue;
            const nn::FlowField &field = flows.pair(frame, other);
            const at::Tensor there = nn::gather_along(clean.slice(0, other, other + 1), field.flow.unsqueeze(0))[0];
            sum.add_((there - clean[frame]) * field.valid);
            weight.add_(field.valid);
        }
        change[frame].copy_(sum / weight);
    }
    return change;
}

} // namespace aianime::pipeline
