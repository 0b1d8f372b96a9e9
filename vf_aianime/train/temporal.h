// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "nn/cfa_module.h"
#include "nn/unet.h"
#include "train/pack_losses.h"

namespace aianime::train {

// What attention between frames is trained in. All but `cfa` is frozen.
struct TemporalNetworks {
    const nn::UNet &unet;
    const nn::ControlNet *control; // may be null
    const nn::CfaModule &cfa;
};

// Where the frames of clips lie in each other.
struct ClipMotion {
    int64_t anchor = 0;              // frame that the others are to agree with
    std::vector<int64_t> neighbours; // of the frames but the anchor, in order, as in CrossFrames
    nn::FlowField places;            // [clips, frames - 1, slots, ...]
};

// sources: [clips, frames, 3, H, W] in [0, 1]; the grid has height x width cells. Slow: once a batch, on the CPU.
ClipMotion clip_motion(const at::Tensor &sources, int64_t anchor, const nn::CfaConfig &config, int64_t height, int64_t width);

// A micro-batch of clips, on the networks' device, float32.
struct TemporalBatch {
    at::Tensor clean;  // [clips, frames, channels, h, w]: latents of the targets as the U-Net sees them, one palette a clip
    at::Tensor other;  // likewise, each frame in the palette it would have chosen by itself; undefined: none
    at::Tensor hues;   // [clips, frames, 2], of Batch::hues: each frame's own, the anchor's those of the clip; undefined: none
    at::Tensor hint;   // [clips * frames, ...]: the control network's embedding of the sources; undefined: none
    at::Tensor text;   // [clips, tokens, width]
    ClipMotion motion; // on any device
};

struct TemporalOptions {
    int64_t steps = 4;       // of the runs that the base is made for
    double any_step = 0.5;   // share of clips at a time step that is not one of those
    double conflict = 0.8;   // share of clips whose noisy frames show another palette than the anchor
    double color_weight = 4; // of what is left of the difference in means over `color_cells` squared cells
    int64_t color_cells = 4;
    double noise_offset = 0; // of the noise, as in sampling
};

// What the U-Net says of all frames but the anchor, which has gone first and is seen by the others. One time step a
// clip, independent noise for every frame. Where a clip is in conflict its frames' noisy latents are drawn towards `other`, the
// more the noisier they are, as they are in sampling, where noise of its own has told each frame another palette; what is asked
// for is the anchor's.
at::Tensor temporal_loss(const TemporalNetworks &networks, const Diffusion &diffusion, const TemporalBatch &batch,
                         const TemporalOptions &options, const at::Generator &generator);

// Latents of the clips from noise [clips, frames, channels, h, w] in `steps` DDIM steps, the anchor first at every step. Of `batch`
// `clean` and `other` are not looked at. together: false leaves attention between frames out.
at::Tensor sample_clips(const TemporalNetworks &networks, const Diffusion &diffusion, const TemporalBatch &batch,
                        const at::Tensor &noise, int64_t steps, bool together = true);

// For initialise(): attention between frames begins without a say, and without a preference.
double cfa_gain(const std::string &name);

// cfa/ of a pack: config.json and diffusion_pytorch_model.safetensors in bfloat16, each written whole or not at all. Throws Error
// (NOT_FOUND, FORBIDDEN, IO).
void write_cfa(nn::CfaModule &module, const std::string &folder);

} // namespace aianime::train
