// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "nn/layers.h"

namespace aianime::nn {

struct ClipLayerConfig {
    int64_t width, hidden, heads;
    double eps;
    bool quick_gelu; // else the exact one
    bool causal;     // a token sees itself and those before it, else all
};

// transformers CLIPEncoderLayer, which text and vision towers share.
class ClipLayer : public Module {
public:
    explicit ClipLayer(const ClipLayerConfig &config);
    ~ClipLayer() override;
    // [batch, tokens, width]
    at::Tensor forward(const at::Tensor &x) const;

private:
    class SelfAttention;
    class Mlp;
    std::unique_ptr<SelfAttention> self_attn;
    LayerNorm layer_norm1;
    std::unique_ptr<Mlp> mlp;
    LayerNorm layer_norm2;
};

} // namespace aianime::nn
