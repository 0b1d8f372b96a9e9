// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "train/pairs.h"

namespace aianime::train {

// Clips in which every frame has its target, in one palette; and in palettes that the frames would have chosen each by itself.
struct ClipBatch {
    at::Tensor source;                       // [clips, frames, 3, side, side] in [0, 1]
    at::Tensor target;                       // the same in [-1, 1]
    at::Tensor other;                        // likewise
    at::Tensor hues;                         // [clips, frames, 2] degrees: Batch::hues of `other`, the first frame's of `target`
    std::vector<std::string> prompts;        // one a clip
    std::vector<bool> open;                  // of the clips: nothing but another frame tells the palette
    std::vector<std::vector<cv::Mat>> marks; // CelBase::marks, by clip and frame
};

struct ClipBatchOptions {
    int64_t clips = 1;
    int64_t frames = 5;
    int side = 128;
    double still = 0.4; // share of clips that are a picture under a moving camera
};

// What training in time learns from: runs of frames of real clips, and pictures of a set under a camera that pans, turns and zooms.
class ClipPairs {
public:
    // options: as for PairSet; clips are read at `rate` frames a second. Throws as PairSet.
    ClipPairs(const PairOptions &options, const PairSet &stills, double rate, const Report &report);

    size_t size() const { return runs_.size(); } // of real clips
    // A function of the seed only.
    ClipBatch batch(const ClipBatchOptions &options, uint64_t seed) const;

private:
    using Run = std::vector<Pair>;
    Run frames_of_clip(const ClipBatchOptions &options, Draw &draw) const;
    Run frames_of_still(const ClipBatchOptions &options, Draw &draw) const;

    const PairSet &stills_;
    std::vector<Run> runs_;
};

} // namespace aianime::train
