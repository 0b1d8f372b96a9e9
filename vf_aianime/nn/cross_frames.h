// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "nn/flow_gather.h"

namespace aianime::nn {

class CfaModule;
struct CfaStore;

// Where the optical flow leads in a batch of `branches * frames` pictures, all frames of a branch together. One object serves one
// forward pass after the other, as long as the frames are the same.
struct CrossFrames {
    const CfaModule *module = nullptr; // trained attention between frames; null: self-attention looks along the flow itself
    int64_t branches = 1;
    int64_t frames = 1;
    // As in CrossTokens: who is a frame's neighbour; none at all may be left empty.
    std::vector<int64_t> neighbours = {};
    // Flows to the neighbours, then to the anchors in the order they were recorded, [1 or branches, frames, slots, ...]; any grid.
    FlowField places = {};
    CfaStore *anchors = nullptr; // with a module
    bool record = false;         // the one frame of a branch is an anchor; it sees those before it
    double weight = 1;           // without a module: AlignedTokens::weight at the finest grid; 0: nothing is looked at

    // Before every pass.
    void begin() { next_layer = 0; }
    int64_t neighbour_slots() const { return static_cast<int64_t>(neighbours.size()) / frames; }
    int64_t slots() const { return places.valid.defined() ? places.valid.size(2) : 0; }
    // `places` on a layer's grid, made once.
    const FlowField &on_grid(int64_t height, int64_t width);

    size_t next_layer = 0;
    std::map<std::pair<int64_t, int64_t>, FlowField> resized = {};
};

} // namespace aianime::nn
