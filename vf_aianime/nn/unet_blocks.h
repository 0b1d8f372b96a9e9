// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "nn/resnet.h"
#include "nn/text_time.h"
#include "nn/transformer.h"
#include "nn/unet.h"

namespace aianime::nn {

// diffusers DownBlock2D and CrossAttnDownBlock2D.
class DownBlock : public Module {
public:
    DownBlock(const UNetConfig &config, size_t level);
    // Appends to `skips` what each layer and the downsampler make.
    at::Tensor forward(const at::Tensor &x, const Conditions &conditions, std::vector<at::Tensor> &skips) const;

private:
    size_t level_;
    std::vector<std::unique_ptr<ResnetBlock>> resnets_;
    std::vector<std::unique_ptr<Transformer>> attentions_; // one a resnet, or none
    std::unique_ptr<Downsample> downsampler_;
};

// diffusers UNetMidBlock2DCrossAttn, and UNetMidBlock2D as U-Nets use it (one resnet).
class MidBlock : public Module {
public:
    explicit MidBlock(const UNetConfig &config);
    at::Tensor forward(const at::Tensor &x, const Conditions &conditions) const;

private:
    std::vector<std::unique_ptr<ResnetBlock>> resnets_;
    std::unique_ptr<Transformer> attention_;
};

// diffusers UpBlock2D and CrossAttnUpBlock2D. Levels count from the top: level 0 is the last up block.
class UpBlock : public Module {
public:
    UpBlock(const UNetConfig &config, size_t level);
    // Takes its layers' skips from the back of `skips`. x by value: moved in, it does not live as long as the block runs.
    at::Tensor forward(at::Tensor x, const Conditions &conditions, std::vector<at::Tensor> &skips) const;

private:
    size_t block_; // its number in the file
    std::vector<std::unique_ptr<ResnetBlock>> resnets_;
    std::vector<std::unique_ptr<Transformer>> attentions_;
    std::unique_ptr<Upsample> upsampler_;
};

// Throws Error (INTERNAL) unless x and text have the shapes that UNet::forward documents.
void check_inputs(const UNetConfig &config, const at::Tensor &x, const at::Tensor &text);

// What ResnetBlock::forward and GroupNorm::forward_silu take as `clips`.
int64_t clips_in_norms(const Conditions &conditions);

// Channels of the time embedding.
int64_t time_channels(const UNetConfig &config);
// Null where the configuration asks for none.
std::unique_ptr<TextTimeEmbedding> make_text_time(const UNetConfig &config);
// What the texts, [n, tokens, width], add to the time embedding of a batch: [1, ...] for one text, else [batch, ...]; undefined for
// a null embedding.
at::Tensor text_in_time(const TextTimeEmbedding *embedding, const at::Tensor &text, int64_t batch);
TransformerConfig transformer_config(const UNetConfig &config, size_t level);

} // namespace aianime::nn
