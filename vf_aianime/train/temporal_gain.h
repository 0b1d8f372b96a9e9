// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/temporal_batch.h"

namespace aianime::train {

// How far apart the colours of the regions are that nothing determines, in dE between the frames of a clip, when all frames have
// noise of their own and take `steps` steps.
struct TemporalGain {
    double alone = 0;    // each frame by itself
    double together = 0; // with attention between frames
    int64_t regions = 0; // that were looked at
};
TemporalGain temporal_gain(const PackNetworks &networks, const nn::CfaModule &cfa, const Diffusion &diffusion,
                           const ClipBatch &clips, int64_t steps);

// A sheet of clips: sources, targets, frames by themselves and together.
void sample_temporal(const PackNetworks &networks, const nn::CfaModule &cfa, const Diffusion &diffusion, const ClipBatch &clips,
                     int64_t steps, const std::string &path);

} // namespace aianime::train
