// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "pipeline/frame_flows.h"

namespace aianime::pipeline {

// Frames on each side that fuse_latents looks at.
constexpr int64_t latent_fusion_reach = 2;

// What averaging along the motion changes in clean latents: each frame's become the mean of its own and of those up to
// latent_fusion_reach frames away, carried to it, where the motion can be trusted there and back. clean: float32 [n, c, h, w] on
// the CPU, the pictures of `flows` in the same order, whose grid is h x w. The first `frames` of them follow each other in time;
// frames that are `fixed` give but are not changed, nor is what lies behind them. Returns fused - clean.
at::Tensor fuse_latents(const at::Tensor &clean, int64_t frames, const std::function<bool(int64_t frame)> &fixed,
                        FrameFlows &flows);

} // namespace aianime::pipeline
