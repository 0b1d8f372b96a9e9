// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_text.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/clip_layers.h"
#include "nn/config_reader.h"
#include "nn/layers.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

struct Config {
    int64_t vocabulary, width, hidden, layers, heads, positions;
    double eps;
    bool quick_gelu;

    explicit Config(const io::Json &json) {
        // What else such files hold is bookkeeping of transformers or concerns training.
        ConfigReader reader(json);
        reader.require("model_type", "clip_text_model");
        vocabulary = reader.integer("vocab_size", 49408, 1, 1 << 24);
        width = reader.integer("hidden_size", 512, 1, 1 << 14);
        hidden = reader.integer("intermediate_size", 2048, 1, 1 << 16);
        layers = reader.integer("num_hidden_layers", 12, 1, 256);
        heads = reader.integer("num_attention_heads", 8, 1, width);
        positions = reader.integer("max_position_embeddings", 77, 3, 1 << 14);
        eps = reader.number("layer_norm_eps", 1e-5, 0, 1);
        quick_gelu = reader.choice("hidden_act", "quick_gelu", {"quick_gelu", "gelu"}) == "quick_gelu";
        if (width % heads)
            reader.refuse("num_attention_heads", "hidden_size " + std::to_string(width) + " is not a multiple of it");
    }
};

class Embeddings : public Module {
public:
    explicit Embeddings(const Config &config)
        : token_embedding(config.vocabulary, config.width), position_embedding(config.positions, config.width) {
        child("token_embedding", token_embedding);
        child("position_embedding", position_embedding);
    }

    at::Tensor add_positions(const at::Tensor &tokens) const {
        return tokens + position_embedding.weight.slice(0, 0, tokens.size(1));
    }

    Embedding token_embedding, position_embedding;
};

class Network : public Module {
public:
    explicit Network(const Config &config) : embeddings(config), final_layer_norm(config.width, config.eps) {
        child("embeddings", embeddings);
        const ClipLayerConfig layer = {config.width, config.hidden, config.heads, config.eps, config.quick_gelu, true};
        for (int64_t i = 0; i < config.layers; ++i) {
            layers.push_back(std::make_unique<ClipLayer>(layer));
            child("encoder.layers." + std::to_string(i), *layers.back());
        }
        child("final_layer_norm", final_layer_norm);
    }

    at::Tensor forward(const at::Tensor &tokens, size_t used_layers) const {
        at::Tensor x = embeddings.add_positions(tokens);
        for (size_t i = 0; i < used_layers; ++i)
            x = layers[i]->forward(x);
        return final_layer_norm.forward(x);
    }

    Embeddings embeddings;
    std::vector<std::unique_ptr<ClipLayer>> layers;
    LayerNorm final_layer_norm;
};

// The same network as older releases name it.
class PrefixedNetwork : public Module {
public:
    explicit PrefixedNetwork(Network &network) { child("text_model", network); }
};

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_ignorable(const std::string &name) {
    return ends_with(name, "embeddings.position_ids") || name == "text_projection.weight";
}

} // namespace

struct ClipText::Impl {
    explicit Impl(const io::Json &json) : config(json), network(config), prefixed(network) {}
    Config config;
    Network network;
    PrefixedNetwork prefixed;

    Module &named_as_in(const WeightSource &source) {
        return source.has("text_model.final_layer_norm.weight") ? static_cast<Module &>(prefixed) : network;
    }
};

ClipText::ClipText(const io::Json &config) : impl_(std::make_unique<Impl>(config)) {}

ClipText::~ClipText() = default;

std::vector<std::string> ClipText::load(const WeightSource &source, at::ScalarType dtype, at::Device device, const Patch &patch) {
    return nn::load(impl_->named_as_in(source), source, dtype, device, is_ignorable, patch);
}

void ClipText::check(const WeightSource &source) { check_names(impl_->named_as_in(source), source, is_ignorable); }

Module &ClipText::module() { return impl_->network; }

int64_t ClipText::width() const { return impl_->config.width; }

int64_t ClipText::max_tokens() const { return impl_->config.positions; }

void ClipText::check_clip_skip(int64_t clip_skip) const {
    const int64_t layers = impl_->config.layers;
    if (clip_skip < 1 || clip_skip > layers)
        throw Error(AIANIME_OUT_OF_RANGE, "clip_skip: " + std::to_string(clip_skip) + " is not one of the text encoder's " +
                                              std::to_string(layers) + " layers; 1 is the last one");
}

at::Tensor ClipText::forward(const at::Tensor &ids, int64_t clip_skip) const { return encode(token_embeddings(ids), clip_skip); }

at::Tensor ClipText::token_embeddings(const at::Tensor &ids) const {
    const Config &config = impl_->config;
    const int64_t largest = ids.numel() ? ids.max().item<int64_t>() : 0;
    if (largest >= config.vocabulary)
        throw Error(AIANIME_BAD_DATA, "text encoder: token " + std::to_string(largest) + " is beyond its vocabulary of " +
                                          std::to_string(config.vocabulary) +
                                          "; tokenizer and text encoder do not belong together");
    return impl_->network.embeddings.token_embedding.forward(ids);
}

at::Tensor ClipText::encode(const at::Tensor &embeddings, int64_t clip_skip) const {
    const Config &config = impl_->config;
    if (embeddings.size(1) > config.positions)
        throw Error(AIANIME_INVALID, "text encoder: " + std::to_string(embeddings.size(1)) + " tokens, at most " +
                                         std::to_string(config.positions) + " fit");
    check_clip_skip(clip_skip);
    return impl_->network.forward(embeddings, static_cast<size_t>(config.layers - clip_skip + 1));
}

} // namespace aianime::nn
