// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/opt.h"

#include <optional>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

constexpr int64_t first_position = 2; // the rows before it were for padding

class SelfAttention : public Module {
public:
    explicit SelfAttention(const OptConfig &config)
        : k_proj(config.width, config.width, config.bias), v_proj(config.width, config.width, config.bias),
          q_proj(config.width, config.width, config.bias), out_proj(config.width, config.width, config.bias), heads_(config.heads) {
        child("k_proj", k_proj);
        child("v_proj", v_proj);
        child("q_proj", q_proj);
        child("out_proj", out_proj);
    }

    // keys, values: those of the cache, undefined while it is empty; x's are added.
    at::Tensor forward(const at::Tensor &x, at::Tensor &keys, at::Tensor &values) const {
        const auto split = [this](const at::Tensor &tokens) { return tokens.unflatten(2, {heads_, -1}).transpose(1, 2); };
        const auto add = [](at::Tensor &cached, const at::Tensor &more) {
            cached = cached.defined() ? at::cat({cached, more}, 2) : more;
        };
        add(keys, split(k_proj.forward(x)));
        add(values, split(v_proj.forward(x)));
        const int64_t asking = x.size(1), seen = keys.size(2);
        std::optional<at::Tensor> mask;
        if (asking > 1 && seen > asking)
            mask = at::ones({asking, seen}, x.options().dtype(at::kBool)).tril(seen - asking);
        const bool causal = asking > 1 && !mask;
        const at::Tensor found = at::scaled_dot_product_attention(split(q_proj.forward(x)), keys, values, mask, 0.0, causal);
        return out_proj.forward(found.transpose(1, 2).flatten(2));
    }

private:
    Linear k_proj, v_proj, q_proj, out_proj;
    int64_t heads_;
};

} // namespace

int64_t OptCache::tokens() const { return keys.empty() ? 0 : keys.front().size(2); }

void OptCache::select(const at::Tensor &rows) {
    for (std::vector<at::Tensor> *tensors : {&keys, &values})
        for (at::Tensor &tensor : *tensors)
            tensor = tensor.index_select(0, rows);
}

class Opt::Layer : public Module {
public:
    explicit Layer(const OptConfig &config)
        : self_attn(config), self_attn_layer_norm(config.width), fc1(config.width, config.hidden, config.bias),
          fc2(config.hidden, config.width, config.bias), final_layer_norm(config.width), norm_before_(config.norm_before),
          gelu_(config.gelu) {
        child("self_attn", self_attn);
        child("self_attn_layer_norm", self_attn_layer_norm);
        child("fc1", fc1);
        child("fc2", fc2);
        child("final_layer_norm", final_layer_norm);
    }

    at::Tensor forward(const at::Tensor &x, at::Tensor &keys, at::Tensor &values) const {
        if (norm_before_) {
            const at::Tensor y = x + self_attn.forward(self_attn_layer_norm.forward(x), keys, values);
            return y + feed_forward(final_layer_norm.forward(y));
        }
        const at::Tensor y = self_attn_layer_norm.forward(x + self_attn.forward(x, keys, values));
        return final_layer_norm.forward(y + feed_forward(y));
    }

private:
    at::Tensor feed_forward(const at::Tensor &x) const {
        const at::Tensor y = fc1.forward(x);
        return fc2.forward(gelu_ ? at::gelu(y) : at::relu(y));
    }

    SelfAttention self_attn;
    LayerNorm self_attn_layer_norm;
    Linear fc1, fc2;
    LayerNorm final_layer_norm;
    bool norm_before_, gelu_;
};

Opt::Opt(const OptConfig &config)
    : config_(config), embed_tokens(config.vocabulary, config.word_width),
      embed_positions(config.positions + first_position, config.width) {
    child("model.decoder.embed_tokens", embed_tokens);
    child("model.decoder.embed_positions", embed_positions);
    const auto optional = [this](std::unique_ptr<Linear> &linear, const char *name, int64_t in, int64_t out) {
        linear = std::make_unique<Linear>(in, out, false);
        child(name, *linear);
    };
    if (config.word_width != config.width) {
        optional(project_in, "model.decoder.project_in", config.word_width, config.width);
        optional(project_out, "model.decoder.project_out", config.width, config.word_width);
    }
    if (config.final_norm) {
        final_layer_norm = std::make_unique<LayerNorm>(config.width);
        child("model.decoder.final_layer_norm", *final_layer_norm);
    }
    for (int64_t i = 0; i < config.layers; ++i) {
        layers.push_back(std::make_unique<Layer>(config));
        child("model.decoder.layers." + std::to_string(i), *layers.back());
    }
    if (!config.tied)
        optional(lm_head, "lm_head", config.word_width, config.vocabulary);
}

Opt::~Opt() = default;

void Opt::loaded() {
    const at::Tensor &words = embed_tokens.weight;
    if (lm_head && !words.is_meta() && at::equal(lm_head->weight, words))
        lm_head->weight = words;
}

at::Tensor Opt::embeddings(const at::Tensor &ids) const { return embed_tokens.forward(ids.to(embed_tokens.weight.device())); }

at::Tensor Opt::forward(const at::Tensor &embeddings, OptCache &cache, bool only_last) const {
    const int64_t before = cache.tokens(), tokens = embeddings.size(1);
    if (before + tokens > config_.positions)
        throw Error(AIANIME_OUT_OF_RANGE, "language model: " + std::to_string(before + tokens) + " tokens, it has positions for " +
                                              std::to_string(config_.positions));
    cache.keys.resize(layers.size());
    cache.values.resize(layers.size());
    at::Tensor x = project_in ? project_in->forward(embeddings) : embeddings;
    x = x + embed_positions.weight.slice(0, first_position + before, first_position + before + tokens);
    for (size_t i = 0; i < layers.size(); ++i)
        x = layers[i]->forward(x, cache.keys[i], cache.values[i]);
    if (only_last)
        x = x.slice(1, tokens - 1);
    if (final_layer_norm)
        x = final_layer_norm->forward(x);
    if (project_out)
        x = project_out->forward(x);
    return at::linear(x, lm_head ? lm_head->weight : embed_tokens.weight).to(at::kFloat);
}

} // namespace aianime::nn
