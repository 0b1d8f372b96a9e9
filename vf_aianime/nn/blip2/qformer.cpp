// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/qformer.h"

#include "nn/aten.h"

namespace aianime::nn {

namespace {

// The end of each half of a BERT layer: what was computed is projected and added to what it was computed from, then normed.
class Output : public Module {
public:
    Output(int64_t in, const QFormerConfig &config) : dense(in, config.width), LayerNorm_(config.width, config.eps) {
        child("dense", dense);
        child("LayerNorm", LayerNorm_);
    }

    at::Tensor forward(const at::Tensor &x, const at::Tensor &before) const {
        return LayerNorm_.forward(dense.forward(x) + before);
    }

private:
    Linear dense;
    LayerNorm LayerNorm_;
};

// Its names in a file: attention.query, .key, .value, output.dense, output.LayerNorm.
class Attention : public Module {
public:
    Attention(const QFormerConfig &config, int64_t seen_width)
        : query(config.width, config.width), key(seen_width, config.width), value(seen_width, config.width),
          output(config.width, config), heads_(config.heads) {
        child("attention.query", query);
        child("attention.key", key);
        child("attention.value", value);
        child("output", output);
    }

    at::Tensor forward(const at::Tensor &x, const at::Tensor &seen) const {
        const auto split = [this](const at::Tensor &tokens) { return tokens.unflatten(2, {heads_, -1}).transpose(1, 2); };
        const at::Tensor found =
            at::scaled_dot_product_attention(split(query.forward(x)), split(key.forward(seen)), split(value.forward(seen)));
        return output.forward(found.transpose(1, 2).flatten(2), x);
    }

private:
    Linear query, key, value;
    Output output;
    int64_t heads_;
};

} // namespace

class QFormer::Layer : public Module {
public:
    Layer(const QFormerConfig &config, bool sees_picture)
        : attention(config, config.width), intermediate_query(config.width, config.hidden), output_query(config.hidden, config) {
        child("attention", attention);
        if (sees_picture) {
            crossattention = std::make_unique<Attention>(config, config.picture_width);
            child("crossattention", *crossattention);
        }
        child("intermediate_query.dense", intermediate_query);
        child("output_query", output_query);
    }

    at::Tensor forward(const at::Tensor &queries, const at::Tensor &picture) const {
        at::Tensor x = attention.forward(queries, queries);
        if (crossattention)
            x = crossattention->forward(x, picture);
        return output_query.forward(at::gelu(intermediate_query.forward(x)), x);
    }

private:
    Attention attention;
    std::unique_ptr<Attention> crossattention;
    Linear intermediate_query;
    Output output_query;
};

QFormer::QFormer(const QFormerConfig &config) : layernorm(config.width, config.eps) {
    child("layernorm", layernorm);
    for (int64_t i = 0; i < config.layers; ++i) {
        layers.push_back(std::make_unique<Layer>(config, i % config.cross_attention_every == 0));
        child("encoder.layer." + std::to_string(i), *layers.back());
    }
}

QFormer::~QFormer() = default;

at::Tensor QFormer::forward(const at::Tensor &queries, const at::Tensor &picture) const {
    at::Tensor x = layernorm.forward(queries);
    for (const auto &layer : layers)
        x = layer->forward(x, picture);
    return x;
}

} // namespace aianime::nn
