// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_layers.h"

#include "nn/aten.h"

namespace aianime::nn {

class ClipLayer::SelfAttention : public Module {
public:
    explicit SelfAttention(const ClipLayerConfig &config)
        : q_proj(config.width, config.width), k_proj(config.width, config.width), v_proj(config.width, config.width),
          out_proj(config.width, config.width), heads_(config.heads), causal_(config.causal) {
        child("q_proj", q_proj);
        child("k_proj", k_proj);
        child("v_proj", v_proj);
        child("out_proj", out_proj);
    }

    at::Tensor forward(const at::Tensor &x) const {
        const auto split = [this](const at::Tensor &tokens) { return tokens.unflatten(2, {heads_, -1}).transpose(1, 2); };
        const at::Tensor seen = at::scaled_dot_product_attention(split(q_proj.forward(x)), split(k_proj.forward(x)),
                                                                 split(v_proj.forward(x)), {}, 0.0, causal_);
        return out_proj.forward(seen.transpose(1, 2).flatten(2));
    }

private:
    Linear q_proj, k_proj, v_proj, out_proj;
    int64_t heads_;
    bool causal_;
};

class ClipLayer::Mlp : public Module {
public:
    explicit Mlp(const ClipLayerConfig &config)
        : fc1(config.width, config.hidden), fc2(config.hidden, config.width), quick_gelu_(config.quick_gelu) {
        child("fc1", fc1);
        child("fc2", fc2);
    }

    at::Tensor forward(const at::Tensor &x) const {
        const at::Tensor y = fc1.forward(x);
        return fc2.forward(quick_gelu_ ? y * at::sigmoid(1.702 * y) : at::gelu(y));
    }

private:
    Linear fc1, fc2;
    bool quick_gelu_;
};

ClipLayer::ClipLayer(const ClipLayerConfig &config)
    : self_attn(std::make_unique<SelfAttention>(config)), layer_norm1(config.width, config.eps), mlp(std::make_unique<Mlp>(config)),
      layer_norm2(config.width, config.eps) {
    child("self_attn", *self_attn);
    child("layer_norm1", layer_norm1);
    child("mlp", *mlp);
    child("layer_norm2", layer_norm2);
}

ClipLayer::~ClipLayer() = default;

at::Tensor ClipLayer::forward(const at::Tensor &x) const {
    const at::Tensor y = x + self_attn->forward(layer_norm1.forward(x));
    return y + mlp->forward(layer_norm2.forward(y));
}

} // namespace aianime::nn
