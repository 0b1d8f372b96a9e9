// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/layers.h"

namespace aianime::nn {

// One token that looks at all of a text and itself (diffusers AttentionPooling, from DeepFloyd IF): [n, tokens, width] -> [n,
// width].
class AttentionPooling : public Module {
public:
    AttentionPooling(int64_t width, int64_t heads);
    at::Tensor forward(const at::Tensor &text) const;

private:
    int64_t heads_;
    at::Tensor positional_embedding;
    Linear k_proj, q_proj, v_proj;
};

// What a text adds to the time embedding, so that its words reach every block (diffusers TextTimeEmbedding, the configuration's
// addition_embed_type "text"): [n, tokens, width] -> [n, out].
class TextTimeEmbedding : public Module {
public:
    TextTimeEmbedding(int64_t width, int64_t out, int64_t heads);
    at::Tensor forward(const at::Tensor &text) const;

private:
    LayerNorm norm1;
    AttentionPooling pool;
    Linear proj;
    LayerNorm norm2;
};

} // namespace aianime::nn
