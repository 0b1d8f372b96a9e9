// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_vision.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/clip_layers.h"
#include "nn/config_reader.h"
#include "nn/picture_codes.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

struct Config {
    int64_t width, hidden, layers, heads, image_size, patch_size, projection;
    double eps;
    bool quick_gelu;

    // What else such files hold is bookkeeping of transformers or concerns training.
    explicit Config(const io::Json &json) {
        const bool whole = json.has("vision_config");
        ConfigReader reader(whole ? json.at("vision_config") : json);
        if (!whole)
            reader.require("model_type", "clip_vision_model");
        reader.require("num_channels", 3.0);
        width = reader.integer("hidden_size", 768, 1, 1 << 14);
        hidden = reader.integer("intermediate_size", 3072, 1, 1 << 16);
        layers = reader.integer("num_hidden_layers", 12, 1, 256);
        heads = reader.integer("num_attention_heads", 12, 1, width);
        image_size = reader.integer("image_size", 224, 1, 4096);
        patch_size = reader.integer("patch_size", 32, 1, image_size);
        // A whole CLIP projects both towers to one width.
        projection = whole ? ConfigReader(json).integer("projection_dim", 512, 1, 1 << 14)
                           : reader.integer("projection_dim", 512, 1, 1 << 14);
        eps = reader.number("layer_norm_eps", 1e-5, 0, 1);
        quick_gelu = reader.choice("hidden_act", "quick_gelu", {"quick_gelu", "gelu"}) == "quick_gelu";
        if (width % heads)
            reader.refuse("num_attention_heads", "hidden_size " + std::to_string(width) + " is not a multiple of it");
    }

    int64_t tokens() const { return (image_size / patch_size) * (image_size / patch_size) + 1; }
};

class Embeddings : public Module {
public:
    explicit Embeddings(const Config &config)
        : patch_embedding(3, config.width, config.patch_size, config.patch_size, false, 0),
          position_embedding(config.tokens(), config.width) {
        parameter("class_embedding", class_embedding, {config.width});
        child("patch_embedding", patch_embedding);
        child("position_embedding", position_embedding);
    }

    at::Tensor forward(const at::Tensor &pixels) const {
        const at::Tensor patches = to_tokens(patch_embedding.forward(pixels));
        const at::Tensor whole = class_embedding.expand({pixels.size(0), 1, -1});
        return at::cat({whole, patches}, 1) + position_embedding.weight;
    }

    at::Tensor class_embedding;
    Conv2d patch_embedding;
    Embedding position_embedding;
};

class Tower : public Module {
public:
    explicit Tower(const Config &config)
        : embeddings(config), pre_layrnorm(config.width, config.eps), post_layernorm(config.width, config.eps) {
        child("embeddings", embeddings);
        child("pre_layrnorm", pre_layrnorm); // so it is spelled in every file
        const ClipLayerConfig layer = {config.width, config.hidden, config.heads, config.eps, config.quick_gelu, false};
        for (int64_t i = 0; i < config.layers; ++i) {
            layers.push_back(std::make_unique<ClipLayer>(layer));
            child("encoder.layers." + std::to_string(i), *layers.back());
        }
        child("post_layernorm", post_layernorm);
    }

    Embeddings embeddings;
    LayerNorm pre_layrnorm;
    std::vector<std::unique_ptr<ClipLayer>> layers;
    LayerNorm post_layernorm;
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

bool is_ignorable(const std::string &name) {
    return name == "vision_model.embeddings.position_ids" || starts_with(name, "text_model.") || name == "text_projection.weight" ||
           name == "logit_scale";
}

// The size with the short side at `side` and the aspect kept, as transformers rounds it.
std::vector<int64_t> resized(int64_t height, int64_t width, int64_t side) {
    return height <= width ? std::vector<int64_t>{side, side * width / height} : std::vector<int64_t>{side * height / width, side};
}

} // namespace

struct ClipVision::Impl : Module {
    explicit Impl(const io::Json &json)
        : config(json), vision_model(config), visual_projection(config.width, config.projection, false) {
        child("vision_model", vision_model);
        child("visual_projection", visual_projection);
    }

    Config config;
    Tower vision_model;
    Linear visual_projection;
};

ClipVision::ClipVision(const io::Json &config) : impl_(std::make_unique<Impl>(config)) {}

ClipVision::~ClipVision() = default;

io::Json ClipVision::config_of(const WeightSource &source) {
    const auto shape = [&source](const std::string &name, size_t sides) {
        if (!source.has(name) || source.shape(name).size() != sides)
            throw Error(AIANIME_BAD_DATA, source.description() + ": not a CLIP image encoder with projection: no tensor " + name);
        return source.shape(name);
    };
    const std::vector<int64_t> patches = shape("vision_model.embeddings.patch_embedding.weight", 4);
    const int64_t positions = shape("vision_model.embeddings.position_embedding.weight", 2)[0];
    const int64_t hidden = shape("vision_model.encoder.layers.0.mlp.fc1.weight", 2)[0];
    const int64_t projection = shape("visual_projection.weight", 2)[0];
    int64_t layers = 0;
    while (source.has("vision_model.encoder.layers." + std::to_string(layers) + ".mlp.fc1.weight"))
        ++layers;
    const int64_t width = patches[0];
    const auto grid = static_cast<int64_t>(std::lround(std::sqrt(std::max<double>(0, static_cast<double>(positions - 1)))));
    const auto number = [](const char *key, int64_t value) { return std::string(", \"") + key + "\": " + std::to_string(value); };
    return io::Json::parse("{\"hidden_act\": \"" + std::string(width < 1280 ? "quick_gelu" : "gelu") + "\"" +
                               number("hidden_size", width) + number("intermediate_size", hidden) +
                               number("num_hidden_layers", layers) + number("num_attention_heads", width == 768 ? 12 : 16) +
                               number("image_size", grid * patches[3]) + number("patch_size", patches[3]) +
                               number("projection_dim", projection) + "}",
                           source.description());
}

void ClipVision::load(const WeightSource &source, at::ScalarType dtype, at::Device device) {
    nn::load(*impl_, source, dtype, device, is_ignorable);
}

void ClipVision::check(const WeightSource &source) { check_names(*impl_, source, is_ignorable); }

Module &ClipVision::module() { return *impl_; }

int64_t ClipVision::width() const { return impl_->config.width; }

int64_t ClipVision::projection() const { return impl_->config.projection; }

int64_t ClipVision::tokens() const { return impl_->config.tokens(); }

int64_t ClipVision::image_size() const { return impl_->config.image_size; }

at::Tensor ClipVision::preprocess(const at::Tensor &pictures) const {
    const int64_t side = impl_->config.image_size, height = pictures.size(2), width = pictures.size(3);
    const std::vector<int64_t> size = resized(height, width, side);
    at::Tensor x = resize_codes(pictures, size[0], size[1]);
    x = x.slice(2, (size[0] - side) / 2, (size[0] - side) / 2 + side).slice(3, (size[1] - side) / 2, (size[1] - side) / 2 + side);
    return clip_normalized(x);
}

ClipVision::Features ClipVision::forward(const at::Tensor &pixels) const {
    const Config &config = impl_->config;
    if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != config.image_size || pixels.size(3) != config.image_size)
        throw Error(AIANIME_INTERNAL, "image encoder: its picture is not [n, 3, " + std::to_string(config.image_size) + ", " +
                                          std::to_string(config.image_size) + "]");
    const Tower &tower = impl_->vision_model;
    at::Tensor x = tower.pre_layrnorm.forward(tower.embeddings.forward(like_weight(pixels, tower.embeddings.class_embedding)));
    Features features;
    for (const auto &layer : tower.layers) {
        features.penultimate = x;
        x = layer->forward(x);
    }
    features.embedding = impl_->visual_projection.forward(tower.post_layernorm.forward(x.select(1, 0)));
    return features;
}

} // namespace aianime::nn
