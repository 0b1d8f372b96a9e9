// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "nn/cfa_module.h"
#include "pipeline/optical_flow.h"

namespace aianime::pipeline {

// Motion between pictures of one size. Each pair is looked at once, there and back, at the pictures' own size, when it is first
// asked for, or at half of it from afar; kept is what is left of it on a coarser grid, by the store of `flow` beyond the pictures'
// own life, and there also the whole of pictures next to each other.
class FrameFlows {
public:
    // pictures: float32 [1, 3, H, W] in [0, 1]; they are shared, not copied. The grid has height x width cells.
    // kept_whole: how far apart in the list pictures are whose motion others ask for too, at the pictures' size (FlowStore::whole):
    // by default as far as templates mostly fuse.
    FrameFlows(std::vector<at::Tensor> pictures, int64_t height, int64_t width, OpticalFlow flow = {}, int64_t kept_whole = 4);

    // Where the places of picture `from` lie in picture `to`, [2, height, width].
    // afar: as OpticalFlow::afar(). What is measured depends on nothing else, so that it is the same in whatever list.
    const nn::FlowField &pair(int64_t from, int64_t to, bool afar = false);

    // Lets go of the pairs that were asked for (what pair() gave is gone then); what was seen of the pictures last stays.
    void forget_pairs() { pairs_.clear(); }

    // From each of `frames` to its others, whose numbers lie behind each other (-1: none, nothing is valid):
    // [1, frames, slots, ...]. Slots from `near` on are looked at from afar.
    nn::FlowField stack(const std::vector<int64_t> &frames, const std::vector<int64_t> &others, size_t near = SIZE_MAX);

private:
    OpticalFlow::View view(int64_t picture);
    OpticalFlow::Seen seen(int64_t picture);
    int64_t place(int64_t picture) const;
    vision::MotionPair motions(int64_t from, int64_t to, bool afar);
    void measure(int64_t from, int64_t to, bool afar);

    std::vector<at::Tensor> pictures_;
    std::vector<FlowStore::Picture> names_;
    OpticalFlow flow_;
    std::vector<std::pair<int64_t, OpticalFlow::View>> views_; // of the pictures that were needed last
    int64_t kept_whole_, height_, width_;
    nn::FlowField still_, none_;
    std::map<std::tuple<int64_t, int64_t, bool>, nn::FlowField> pairs_;
};

// What attention between frames needs to know of `frames`, pictures in order that go through it together: each looks at those that
// are `offsets` away and among them too, and at all `anchors`. Module, branches and store are the caller's to set.
nn::CrossFrames cross_frames(FrameFlows &flows, const std::vector<int64_t> &frames, const std::vector<int64_t> &offsets,
                             const std::vector<int64_t> &anchors);

} // namespace aianime::pipeline
