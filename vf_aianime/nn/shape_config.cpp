// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/shape_config.h"

#include <algorithm>

namespace aianime::nn {

namespace {

constexpr int64_t head_width = 64;        // of Stable Diffusion 2 and of CLIP
constexpr int64_t most_tiny_layers = 256; // of a tiny autoencoder's stack; TAESD has 18

// Writes one JSON object.
class Object {
public:
    Object &add(const std::string &key, const std::string &json) {
        text_ += (text_.empty() ? "{\"" : ", \"") + key + "\": " + json;
        return *this;
    }
    Object &add(const std::string &key, int64_t value) { return add(key, std::to_string(value)); }
    Object &add(const std::string &key, const std::vector<int64_t> &values) {
        std::string list;
        for (int64_t value : values)
            list += (list.empty() ? "" : ", ") + std::to_string(value);
        return add(key, "[" + list + "]");
    }
    Object &add(const std::string &key, const std::vector<std::string> &values) {
        std::string list;
        for (const std::string &value : values)
            list += (list.empty() ? "\"" : ", \"") + value + "\"";
        return add(key, "[" + list + "]");
    }
    io::Json json(const WeightSource &source) const { return io::Json::parse(text_ + "}", source.description()); }

private:
    std::string text_;
};

int64_t side(const WeightSource &source, const std::string &name, size_t axis) {
    const std::vector<int64_t> shape = source.shape(name);
    return axis < shape.size() ? shape[axis] : 1;
}

// How many of prefix + "0" + suffix, prefix + "1" + suffix, ... are there.
int64_t count(const WeightSource &source, const std::string &prefix, const std::string &suffix) {
    int64_t n = 0;
    while (source.has(prefix + std::to_string(n) + suffix))
        n++;
    return n;
}

std::string numbered(const std::string &prefix, int64_t i) { return prefix + std::to_string(i) + "."; }

// What the levels of a U-Net are made of.
struct Levels {
    std::vector<int64_t> channels, layers, transformer_layers, heads;
    std::vector<std::string> down, up;
    int64_t text_width = 0;
    bool linear = false;
};

Levels read_levels(const WeightSource &source) {
    Levels levels;
    const int64_t n = count(source, "down_blocks.", ".resnets.0.norm1.weight");
    for (int64_t i = 0; i < n; i++) {
        const std::string block = numbered("down_blocks.", i), attention = block + "attentions.0.";
        levels.channels.push_back(side(source, block + "resnets.0.conv1.weight", 0));
        levels.layers.push_back(count(source, block + "resnets.", ".norm1.weight"));
        levels.transformer_layers.push_back(
            std::max<int64_t>(1, count(source, attention + "transformer_blocks.", ".norm1.weight")));
        const bool attends = source.has(attention + "norm.weight");
        levels.down.push_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
        if (attends) {
            levels.text_width = side(source, attention + "transformer_blocks.0.attn2.to_k.weight", 1);
            levels.linear = source.shape(attention + "proj_in.weight").size() == 2;
        }
    }
    for (int64_t channels : levels.channels)
        levels.heads.push_back(levels.linear ? std::max<int64_t>(1, channels / head_width) : 8);
    for (int64_t i = 0; i < count(source, "up_blocks.", ".resnets.0.norm1.weight"); i++)
        levels.up.push_back(source.has(numbered("up_blocks.", i) + "attentions.0.norm.weight") ? "CrossAttnUpBlock2D"
                                                                                               : "UpBlock2D");
    return levels;
}

void add_control(Object &config, const WeightSource &source) {
    const std::string embedding = "controlnet_cond_embedding.";
    std::vector<int64_t> channels = {side(source, embedding + "conv_in.weight", 0)};
    for (int64_t i = 1; source.has(numbered(embedding + "blocks.", i) + "weight"); i += 2)
        channels.push_back(side(source, numbered(embedding + "blocks.", i) + "weight", 0));
    config.add("conditioning_channels", side(source, embedding + "conv_in.weight", 1))
        .add("conditioning_embedding_out_channels", channels);
}

} // namespace

io::Json unet_config(const WeightSource &source) {
    const Levels levels = read_levels(source);
    const bool control = source.has("controlnet_cond_embedding.conv_in.weight");
    Object config;
    config.add("_class_name", std::string(control ? "\"ControlNetModel\"" : "\"UNet2DConditionModel\""))
        .add("in_channels", side(source, "conv_in.weight", 1))
        .add("block_out_channels", levels.channels)
        .add("down_block_types", levels.down)
        .add("layers_per_block", levels.layers)
        .add("transformer_layers_per_block", levels.transformer_layers)
        .add("attention_head_dim", levels.heads)
        .add("use_linear_projection", std::string(levels.linear ? "true" : "false"));
    if (levels.text_width)
        config.add("cross_attention_dim", levels.text_width);
    if (control)
        add_control(config, source);
    else
        config.add("up_block_types", levels.up).add("out_channels", side(source, "conv_out.weight", 0));
    return config.json(source);
}

io::Json autoencoder_config(const WeightSource &source) {
    std::vector<int64_t> channels;
    for (int64_t i = 0; i < count(source, "encoder.down_blocks.", ".resnets.0.norm1.weight"); i++)
        channels.push_back(side(source, numbered("encoder.down_blocks.", i) + "resnets.0.conv1.weight", 0));
    const std::vector<std::string> down(channels.size(), "DownEncoderBlock2D"), up(channels.size(), "UpDecoderBlock2D");
    return Object()
        .add("_class_name", std::string("\"AutoencoderKL\""))
        .add("block_out_channels", channels)
        .add("down_block_types", down)
        .add("up_block_types", up)
        .add("layers_per_block", count(source, "encoder.down_blocks.0.resnets.", ".norm1.weight"))
        .add("latent_channels", side(source, "decoder.conv_in.weight", 1))
        .add("scaling_factor", std::string("0.18215"))
        .json(source);
}

io::Json tiny_autoencoder_config(const WeightSource &source) {
    // A run of blocks is a level; convolutions and layers without weights stand between them.
    const auto levels = [&](const std::string &stack) {
        std::vector<int64_t> blocks;
        bool in_level = false;
        for (int64_t i = 0; i < most_tiny_layers; i++) {
            const bool block = source.has(numbered(stack, i) + "conv.0.weight");
            if (block && !in_level)
                blocks.push_back(0);
            if (block)
                blocks.back()++;
            in_level = block;
        }
        return blocks;
    };
    const std::vector<int64_t> encoder = levels("encoder.layers."), decoder = levels("decoder.layers.");
    const std::vector<int64_t> encoder_channels(encoder.size(), side(source, "encoder.layers.0.weight", 0));
    const std::vector<int64_t> decoder_channels(decoder.size(), side(source, "decoder.layers.0.weight", 0));
    return Object()
        .add("_class_name", std::string("\"AutoencoderTiny\""))
        .add("latent_channels", side(source, "decoder.layers.0.weight", 1))
        .add("encoder_block_out_channels", encoder_channels)
        .add("decoder_block_out_channels", decoder_channels)
        .add("num_encoder_blocks", encoder)
        .add("num_decoder_blocks", decoder)
        .json(source);
}

io::Json text_encoder_config(const WeightSource &source, bool open_clip) {
    const int64_t width = side(source, "embeddings.token_embedding.weight", 1);
    return Object()
        .add("model_type", std::string("\"clip_text_model\""))
        .add("vocab_size", side(source, "embeddings.token_embedding.weight", 0))
        .add("hidden_size", width)
        .add("intermediate_size", side(source, "encoder.layers.0.mlp.fc1.weight", 0))
        .add("num_hidden_layers", count(source, "encoder.layers.", ".layer_norm1.weight"))
        .add("num_attention_heads", std::max<int64_t>(1, width / head_width))
        .add("max_position_embeddings", side(source, "embeddings.position_embedding.weight", 0))
        .add("hidden_act", std::string(open_clip ? "\"gelu\"" : "\"quick_gelu\""))
        .json(source);
}

} // namespace aianime::nn
