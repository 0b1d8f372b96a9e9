// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "nn/frame_attention.h"
#include "nn/timestep.h"

namespace aianime::nn {

// What UNet2DConditionModel and ControlNetModel share of their configuration (diffusers config.json).
struct UNetConfig {
    int64_t in_channels = 4;
    int64_t out_channels = 4;
    std::vector<int64_t> block_out_channels;
    std::vector<std::string> down_block_types;
    std::vector<std::string> up_block_types;
    std::vector<int64_t> layers_per_block;    // per level
    std::vector<int64_t> heads;               // per level: number of attention heads
    std::vector<int64_t> transformer_layers;  // per level
    std::vector<int64_t> cross_attention_dim; // per level
    int64_t norm_num_groups = 32;
    double norm_eps = 1e-5;
    bool use_linear_projection = false;
    bool flip_sin_to_cos = true;
    double freq_shift = 0;
    int64_t text_time_heads = 0; // of the attention that pools the text for the time embedding; 0: the text is not in it
    bool mid_block = true;
    bool mid_cross_attention = true;
    // ControlNet only.
    int64_t conditioning_channels = 3;
    std::vector<int64_t> conditioning_embedding_out_channels;

    // Reads config.json. A setting this code does not implement and that is not at its neutral value throws Error (BAD_DATA) naming
    // it.
    static UNetConfig from_json(const io::Json &config);
    // Latents whose sides are multiples of this, 2^(levels - 1), keep their grid through all levels; others work, less exactly.
    int64_t stride() const { return int64_t{1} << (block_out_channels.size() - 1); }
};

// What a ControlNet adds to a U-Net: one tensor per skip connection and one for the middle. Empty when there is none.
struct ControlResiduals {
    std::vector<at::Tensor> down;
    at::Tensor mid;
};

// Sums b, scaled, into a (a may be empty). The scale is applied to every residual.
void accumulate(ControlResiduals &a, ControlResiduals &&b, double scale);

class MotionModule;
struct ImagePrompt;
struct LocalText;

// diffusers UNet2DConditionModel.
class UNet {
public:
    explicit UNet(const UNetConfig &config);
    ~UNet();
    const UNetConfig &config() const;
    class Module &module();

    // x [batch, in_channels, h, w]; timesteps: one for all or one each; text [n, tokens, cross_attention_dim], where n divides
    // the batch and each text serves batch / n consecutive pictures (n = 1: one prompt for all; n = branches: one a branch);
    // frames: how self-attention sees the batch, may be null; control may be null, and is emptied. -> [batch, out_channels, h, w]
    // motion: may be null; joins the frames of a branch (`frames` says how many branches, null: one) and throws Error (BAD_DATA)
    // where a branch has more frames than it knows.
    // images: may be null; rows of a prompt's keys serve the batch as those of `text`. local: words for some places, may be null;
    // they are not in the time embedding.
    // Inputs are converted to the weights' dtype, results have it. Sizes that do not fit throw Error (INTERNAL).
    at::Tensor forward(const at::Tensor &x, const Timesteps &timesteps, const at::Tensor &text, FrameAttention *frames,
                       ControlResiduals *control, const MotionModule *motion = nullptr,
                       const std::vector<ImagePrompt> *images = nullptr, const LocalText *local = nullptr) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// diffusers ControlNetModel.
class ControlNet {
public:
    explicit ControlNet(const UNetConfig &config);
    ~ControlNet();
    const UNetConfig &config() const;
    class Module &module();

    // The picture's embedding, computed once a frame: hint [batch, conditioning_channels, H, W] -> [batch, block_out_channels[0],
    // h, w].
    at::Tensor embed_hint(const at::Tensor &hint) const;
    // As UNet::forward; `hint` is embed_hint's result.
    ControlResiduals forward(const at::Tensor &x, const Timesteps &timesteps, const at::Tensor &text, const at::Tensor &hint,
                             FrameAttention *frames) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
