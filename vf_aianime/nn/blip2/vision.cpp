// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/vision.h"

#include "nn/aten.h"
#include "nn/picture_codes.h"

namespace aianime::nn {

namespace {

class SelfAttention : public Module {
public:
    explicit SelfAttention(const Blip2VisionConfig &config)
        : qkv(config.width, 3 * config.width, config.qkv_bias), projection(config.width, config.width), heads_(config.heads) {
        child("qkv", qkv);
        child("projection", projection);
    }

    at::Tensor forward(const at::Tensor &x) const {
        const std::vector<at::Tensor> parts = qkv.forward(x).unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4}).unbind(0);
        const at::Tensor seen = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
        return projection.forward(seen.transpose(1, 2).flatten(2));
    }

private:
    Linear qkv, projection;
    int64_t heads_;
};

class Mlp : public Module {
public:
    explicit Mlp(const Blip2VisionConfig &config) : fc1(config.width, config.hidden), fc2(config.hidden, config.width) {
        child("fc1", fc1);
        child("fc2", fc2);
    }

    at::Tensor forward(const at::Tensor &x) const { return fc2.forward(at::gelu(fc1.forward(x))); }

private:
    Linear fc1, fc2;
};

} // namespace

class Blip2Vision::Embeddings : public Module {
public:
    explicit Embeddings(const Blip2VisionConfig &config)
        : patch_embedding(3, config.width, config.patch_size, config.patch_size, true, 0) {
        parameter("class_embedding", class_embedding, {1, 1, config.width});
        parameter("position_embedding", position_embedding, {1, config.tokens(), config.width});
        child("patch_embedding", patch_embedding);
    }

    at::Tensor forward(const at::Tensor &pixels) const {
        const at::Tensor patches = to_tokens(patch_embedding.forward(like_weight(pixels, class_embedding)));
        return at::cat({class_embedding.expand({pixels.size(0), 1, -1}), patches}, 1) + position_embedding;
    }

private:
    at::Tensor class_embedding, position_embedding;
    Conv2d patch_embedding;
};

class Blip2Vision::Layer : public Module {
public:
    explicit Layer(const Blip2VisionConfig &config)
        : self_attn(config), layer_norm1(config.width, config.eps), mlp(config), layer_norm2(config.width, config.eps) {
        child("self_attn", self_attn);
        child("layer_norm1", layer_norm1);
        child("mlp", mlp);
        child("layer_norm2", layer_norm2);
    }

    at::Tensor forward(const at::Tensor &x) const {
        const at::Tensor y = x + self_attn.forward(layer_norm1.forward(x));
        return y + mlp.forward(layer_norm2.forward(y));
    }

private:
    SelfAttention self_attn;
    LayerNorm layer_norm1;
    Mlp mlp;
    LayerNorm layer_norm2;
};

Blip2Vision::Blip2Vision(const Blip2VisionConfig &config)
    : embeddings(std::make_unique<Embeddings>(config)), post_layernorm(config.width, config.eps) {
    child("embeddings", *embeddings);
    for (int64_t i = 0; i < config.layers; ++i) {
        layers.push_back(std::make_unique<Layer>(config));
        child("encoder.layers." + std::to_string(i), *layers.back());
    }
    child("post_layernorm", post_layernorm);
}

Blip2Vision::~Blip2Vision() = default;

at::Tensor Blip2Vision::forward(const at::Tensor &pixels) const {
    at::Tensor x = embeddings->forward(pixels);
    for (const auto &layer : layers)
        x = layer->forward(x);
    return post_layernorm.forward(x);
}

at::Tensor prepared_for_blip2(const at::Tensor &pictures, int64_t side) {
    return clip_normalized(resize_codes(pictures, side, side));
}

} // namespace aianime::nn
