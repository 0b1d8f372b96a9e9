// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "nn/frame_attention.h"
#include "nn/image_prompt.h"
#include "nn/layers.h"
#include "nn/local_text.h"
#include "nn/parts.h"

namespace aianime::nn {

class MotionModule;

// What one forward pass hands to every block.
struct Conditions {
    at::Tensor time; // TimestepEmbedding's result
    at::Tensor text; // [batch or a divisor of it, tokens, width]
    FrameAttention *frames = nullptr;
    const MotionModule *motion = nullptr; // of U-Nets
    int64_t branches = 1;                 // clips in the batch, for the motion module
    ImageAttention *images = nullptr;     // of U-Nets
    CrossFrames *cross = nullptr;         // of U-Nets with a trained module
    LocalWords *local = nullptr;          // of U-Nets
};

// What a cross-attention layer looks at.
struct Prompts {
    at::Tensor keys, values;                       // the text's, [batch or a divisor of it, tokens, channels]
    std::vector<ImageAttention::Seen> images = {}; // beside it
    LocalKeys local = {};                          // behind it

    // The fewest equal runs of pictures that see the same.
    int64_t runs() const;
};

// diffusers Attention without biases but the last, as U-Nets use it. x, queries and results are [batch, tokens, channels].
class Attention : public Module {
public:
    // `context`: channels of the keys' and values' source.
    Attention(int64_t channels, int64_t context, int64_t heads);
    // Each entry of the batch sees itself.
    at::Tensor self(const at::Tensor &x) const;
    // self(norm(x)) less the last layer, where frames may see each other. Null: they do not.
    at::Tensor seen_in_frames(const at::Tensor &x, const LayerNorm &norm, FrameAttention *frames) const;
    // For pictures whose grid is height x width.
    Prompts look_at(const Conditions &conditions, int64_t height, int64_t width) const;
    at::Tensor cross(const Part &x, const Prompts &prompts) const;

    Linear to_q, to_k, to_v, to_out;

private:
    at::Tensor with_local(const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const LocalKeys &local,
                          const Part &part) const;

    int64_t heads_;
};

// diffusers FeedForward with GEGLU.
class FeedForward : public Module {
public:
    explicit FeedForward(int64_t channels);
    at::Tensor forward(const at::Tensor &x) const;

private:
    Linear proj, out;
};

// diffusers BasicTransformerBlock.
class TransformerBlock : public Module {
public:
    TransformerBlock(int64_t channels, int64_t text_channels, int64_t heads);
    // The result may lie in the memory of x, [pictures, height * width, channels], which is given up.
    at::Tensor forward(const at::Tensor &x, int64_t height, int64_t width, const Conditions &conditions) const;

private:
    LayerNorm norm1;
    Attention attn1;
    LayerNorm norm2;
    Attention attn2;
    LayerNorm norm3;
    FeedForward ff;
};

struct TransformerConfig {
    int64_t layers, heads, text_channels, groups;
    bool linear_projection;
};

// diffusers Transformer2DModel on pictures.
class Transformer : public Module {
public:
    Transformer(int64_t channels, const TransformerConfig &config);
    at::Tensor forward(const at::Tensor &x, const Conditions &conditions) const;

private:
    at::Tensor enter(const at::Tensor &picture) const;
    at::Tensor leave(const at::Tensor &tokens, int64_t height, int64_t width) const;

    GroupNorm norm;
    // The projections are linear layers or 1x1 convolutions: the same product, other shapes in the file.
    std::unique_ptr<Linear> linear_in, linear_out;
    std::unique_ptr<Conv2d> conv_in, conv_out;
    std::vector<std::unique_ptr<TransformerBlock>> blocks_;
};

} // namespace aianime::nn
