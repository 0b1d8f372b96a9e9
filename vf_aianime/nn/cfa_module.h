// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "nn/cross_attention.h"
#include "nn/cross_frames.h"
#include "nn/module.h"
#include "nn/unet.h"

namespace aianime::nn {

// Shapes of trained attention between frames; cfa/config.json of a pack.
struct CfaConfig {
    std::vector<int64_t> channels; // of the U-Net's levels
    std::vector<int64_t> layers;   // of the U-Net's levels, per block
    std::vector<int64_t> widths;   // of queries, keys and values, per level
    std::vector<int64_t> grid;     // side of the anchors' coarse grid, per level; 0: none
    int64_t heads = 2;
    std::vector<int64_t> neighbours = {-2, -1, 1, 2}; // looked at along the flow, in frames

    static CfaConfig for_unet(const UNetConfig &unet);
    // Throws Error (BAD_DATA, OUT_OF_RANGE).
    static CfaConfig from_json(const io::Json &config);
    std::string to_json() const;
};

// Keys and values of anchor frames in every layer, for one denoising step. A pass over an anchor appends, passes over others read.
struct CfaStore {
    struct Layer {
        std::vector<at::Tensor> anchors; // each [branches, tokens, 2 * width]
        at::Tensor coarse;               // [branches, anchors * grid * grid, 2 * width]
    };
    std::vector<Layer> layers;
};

// The trained temporal part of a pack: behind every layer of a U-Net, at every level, a small attention between frames (see
// cross_attention). What it adds depends on differences between frames only: a frame that sees no other one, and so every picture
// and the first anchor of a shot, is what the U-Net alone makes it. Fill it with load(module(), ...).
class CfaModule {
public:
    // Throws Error (BAD_DATA) where the module is not made for such a U-Net; `name` stands for its folder in messages.
    CfaModule(const CfaConfig &config, const UNetConfig &unet, const std::string &name);
    ~CfaModule();

    class Module &module();
    const CfaConfig &config() const;

    // x [branches * frames, channels, h, w] -> the same, which may lie in the memory of x: that is given up. Places as in
    // MotionModule.
    at::Tensor down(size_t block, size_t layer, const at::Tensor &x, CrossFrames &frames) const;
    at::Tensor mid(const at::Tensor &x, CrossFrames &frames) const;
    at::Tensor up(size_t block, size_t layer, const at::Tensor &x, CrossFrames &frames) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
