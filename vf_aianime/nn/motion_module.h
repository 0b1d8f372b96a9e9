// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "nn/motion_file.h"
#include "nn/unet.h"

namespace aianime::nn {

// What the group norms look at while a motion module is at work.
enum class MotionNorms {
    // As in the code that trained AnimateDiff's modules: those of the modules at one frame; with a version 1 module those of the
    // U-Net's residual blocks and of its output at all frames of a clip.
    trained,
    // As in diffusers: those of the modules at all frames of a clip, those of the U-Net at one frame.
    diffusers
};

// AnimateDiff: a temporal transformer behind each layer of a U-Net. In it every pixel of a feature map sees the same pixel of all
// other frames. UNet::forward calls it. Fill it with load(motion.module(), file.source, ...).
class MotionModule {
public:
    // Throws Error (BAD_DATA) where the module is not made for such a U-Net; `name` stands for the file in messages.
    MotionModule(const MotionConfig &config, const UNetConfig &unet, MotionNorms norms, const std::string &name);
    ~MotionModule();

    class Module &module();
    const MotionConfig &config() const;

    // The most frames that can be made together; check_frames throws Error (OUT_OF_RANGE) for more.
    int64_t max_frames() const;
    void check_frames(int64_t frames) const;

    // The U-Net's residual blocks and output share their norms' statistics among the frames of a clip.
    bool norms_see_clips() const;

    // x [branches * frames, channels, h, w], all frames of a branch first -> the same. `layer` counts in its block; blocks as in
    // the file.
    at::Tensor down(size_t block, size_t layer, const at::Tensor &x, int64_t branches) const;
    at::Tensor mid(const at::Tensor &x, int64_t branches) const; // x itself where there is none
    at::Tensor up(size_t block, size_t layer, const at::Tensor &x, int64_t branches) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
