// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/vit_tagger.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/layers.h"
#include "nn/picture_codes.h"
#include "nn/vit_config.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr double eps = 1e-6;       // timm's
constexpr int64_t head_width = 64; // of all published ones

class Attention : public Module {
public:
    explicit Attention(const VitConfig &config)
        : qkv(config.width, 3 * config.width), proj(config.width, config.width), heads_(config.heads) {
        child("qkv", qkv);
        child("proj", proj);
    }

    at::Tensor forward(const at::Tensor &x) const {
        // [batch, tokens, 3, heads, channels] -> three of [batch, heads, tokens, channels]
        const std::vector<at::Tensor> parts = qkv.forward(x).unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4}).unbind(0);
        return proj.forward(at::scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(1, 2).flatten(2));
    }

private:
    Linear qkv, proj;
    int64_t heads_;
};

class Mlp : public Module {
public:
    explicit Mlp(const VitConfig &config)
        : fc1(config.width, config.hidden), fc2(config.hidden, config.width), tanh_(config.tanh_gelu) {
        child("fc1", fc1);
        child("fc2", fc2);
    }

    at::Tensor forward(const at::Tensor &x) const { return fc2.forward(at::gelu(fc1.forward(x), tanh_ ? "tanh" : "none")); }

private:
    Linear fc1, fc2;
    bool tanh_;
};

class Block : public Module {
public:
    explicit Block(const VitConfig &config) : norm1(config.width, eps), attn(config), norm2(config.width, eps), mlp(config) {
        child("norm1", norm1);
        child("attn", attn);
        child("norm2", norm2);
        child("mlp", mlp);
    }

    at::Tensor forward(const at::Tensor &x) const {
        const at::Tensor y = x + attn.forward(norm1.forward(x));
        return y + mlp.forward(norm2.forward(y));
    }

private:
    LayerNorm norm1;
    Attention attn;
    LayerNorm norm2;
    Mlp mlp;
};

// [n, 3, h, w] -> [n, 3, side, side] with the picture in the middle of white.
at::Tensor squared(const at::Tensor &pictures) {
    const int64_t height = pictures.size(2), width = pictures.size(3), side = std::max(height, width);
    if (height == width)
        return pictures;
    const int64_t left = (side - width) / 2, top = (side - height) / 2;
    return at::constant_pad_nd(pictures, {left, side - width - left, top, side - height - top}, 1);
}

std::vector<int64_t> shape_in(const WeightSource &source, const std::string &name, size_t sides) {
    if (!source.has(name) || source.shape(name).size() != sides)
        throw Error(AIANIME_BAD_DATA, source.description() + ": not a WD tagger on a vision transformer: no tensor " + name +
                                          "; those on SwinV2, ConvNeXt and EVA02 are not read");
    return source.shape(name);
}

} // namespace

struct VitTagger::Impl : Module {
    explicit Impl(const io::Json &json)
        : config(json), proj(3, config.width, config.patch_size, config.patch_size, true, 0), norm(config.width, eps),
          head(config.width, config.classes) {
        child("patch_embed.proj", proj);
        parameter("pos_embed", pos_embed, {1, config.tokens(), config.width});
        for (int64_t i = 0; i < config.depth; ++i) {
            blocks.push_back(std::make_unique<Block>(config));
            child("blocks." + std::to_string(i), *blocks.back());
        }
        child(config.norm_before_mean ? "norm" : "fc_norm", norm);
        child("head", head);
    }

    VitConfig config;
    Conv2d proj;
    at::Tensor pos_embed;
    std::vector<std::unique_ptr<Block>> blocks;
    LayerNorm norm;
    Linear head;
};

VitTagger::VitTagger(const io::Json &config) : impl_(std::make_unique<Impl>(config)) {}

VitTagger::~VitTagger() = default;

io::Json VitTagger::config_of(const WeightSource &source) {
    const std::vector<int64_t> patches = shape_in(source, "patch_embed.proj.weight", 4);
    const int64_t positions = shape_in(source, "pos_embed", 3)[1];
    const int64_t hidden = shape_in(source, "blocks.0.mlp.fc1.weight", 2)[0], classes = shape_in(source, "head.weight", 2)[0];
    int64_t depth = 0;
    while (source.has("blocks." + std::to_string(depth) + ".mlp.fc1.weight"))
        ++depth;
    const int64_t width = patches[0], patch = patches[3];
    if (width % head_width || !width)
        throw Error(AIANIME_BAD_DATA, source.description() + ": its config.json is missing, and a width of " +
                                          std::to_string(width) + " does not tell the number of heads");
    const auto grid = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(positions))));
    const auto number = [](const char *key, int64_t value) { return std::string(", \"") + key + "\": " + std::to_string(value); };
    return io::Json::parse(
        "{\"architecture\": \"vit_base_patch16_224\"" + number("num_classes", classes) +
            ", \"model_args\": {\"class_token\": false, \"act_layer\": \"gelu_tanh\", \"fc_norm\": " +
            (source.has("fc_norm.weight") ? "true" : "false") + number("embed_dim", width) + number("depth", depth) +
            number("num_heads", width / head_width) + number("patch_size", patch) + number("img_size", grid * patch) +
            ", \"mlp_ratio\": " + std::to_string((static_cast<double>(hidden) + 0.5) / static_cast<double>(width)) + "}}",
        source.description());
}

void VitTagger::load(const WeightSource &source, at::ScalarType dtype, at::Device device) {
    nn::load(*impl_, source, dtype, device);
}

void VitTagger::check(const WeightSource &source) { check_names(*impl_, source); }

Module &VitTagger::module() { return *impl_; }

int64_t VitTagger::classes() const { return impl_->config.classes; }

int64_t VitTagger::image_size() const { return impl_->config.image_size; }

at::Tensor VitTagger::preprocess(const at::Tensor &pictures) const {
    const VitConfig &config = impl_->config;
    const at::Tensor x = resize_codes(squared(pictures.to(at::kFloat)), config.image_size, config.image_size);
    const auto per_channel = [&x](const std::array<double, 3> &values) {
        return at::tensor(std::vector<float>(values.begin(), values.end())).view({1, 3, 1, 1}).to(x.device());
    };
    return ((x - per_channel(config.mean)) / per_channel(config.deviation)).flip(1);
}

at::Tensor VitTagger::forward(const at::Tensor &pixels) const {
    const Impl &net = *impl_;
    const int64_t side = net.config.image_size;
    if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != side || pixels.size(3) != side)
        throw Error(AIANIME_INTERNAL,
                    "tagger: its picture is not [n, 3, " + std::to_string(side) + ", " + std::to_string(side) + "]");
    at::Tensor x = to_tokens(net.proj.forward(like_weight(pixels, net.pos_embed))) + net.pos_embed;
    for (const auto &block : net.blocks)
        x = block->forward(x);
    x = net.config.norm_before_mean ? net.norm.forward(x).mean(1) : net.norm.forward(x.mean(1));
    return net.head.forward(x);
}

} // namespace aianime::nn
