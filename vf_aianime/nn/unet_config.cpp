// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/error.h"
#include "nn/config_reader.h"
#include "nn/unet.h"

namespace aianime::nn {

namespace {

constexpr int64_t max_channels = 16384;
constexpr int64_t max_layers = 32;

void read_levels(ConfigReader &reader, UNetConfig &config) {
    config.block_out_channels = reader.integers("block_out_channels", 1, max_channels);
    const size_t levels = config.block_out_channels.size();
    if (!levels)
        reader.refuse("block_out_channels", "one entry a level is needed");
    config.down_block_types = reader.choices("down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D"});
    if (config.down_block_types.size() != levels)
        reader.refuse("down_block_types", "needs one entry for each of block_out_channels");
    config.up_block_types = reader.choices("up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D"});
    if (!config.up_block_types.empty() && config.up_block_types.size() != levels)
        reader.refuse("up_block_types", "needs one entry for each of block_out_channels");
    config.layers_per_block = reader.per_level("layers_per_block", 2, levels, 1, max_layers);
    config.transformer_layers = reader.per_level("transformer_layers_per_block", 1, levels, 1, max_layers);
    config.cross_attention_dim = reader.per_level("cross_attention_dim", 1280, levels, 1, max_channels);
    // diffusers: attention_head_dim holds the number of heads, a misnomer kept because so many files have it. 0 stands for "not
    // given".
    const std::vector<int64_t> misnamed = reader.per_level("attention_head_dim", 8, levels, 1, max_channels);
    config.heads = reader.per_level("num_attention_heads", 0, levels, 1, max_channels);
    if (!config.heads.front())
        config.heads = misnamed;
}

void read_middle(ConfigReader &reader, const io::Json &json, UNetConfig &config) {
    const std::string type =
        reader.choice("mid_block_type", "UNetMidBlock2DCrossAttn", {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"});
    config.mid_block = !json.has("mid_block_type") || !json.at("mid_block_type").is_null();
    config.mid_cross_attention = type == "UNetMidBlock2DCrossAttn";
}

void read_text_time(ConfigReader &reader, UNetConfig &config) {
    const int64_t heads = reader.integer("addition_embed_type_num_heads", 64, 1, max_channels);
    if (reader.choice("addition_embed_type", "none", {"text"}) == "none")
        return;
    if (config.cross_attention_dim.back() % heads)
        reader.refuse("addition_embed_type_num_heads", "does not divide cross_attention_dim");
    config.text_time_heads = heads;
}

void require_neutral(ConfigReader &reader) {
    for (const char *key : {"center_input_sample", "class_embeddings_concat", "dual_cross_attention", "global_pool_conditions",
                            "mid_block_only_cross_attention", "only_cross_attention", "resnet_skip_time_act"})
        reader.require(key, false);
    for (const char *key : {"downsample_padding", "mid_block_scale_factor", "resnet_out_scale_factor"})
        reader.require(key, 1.0);
    reader.require("conv_in_kernel", 3.0);
    reader.require("conv_out_kernel", 3.0);
    reader.require("attention_type", "default");
    reader.require("controlnet_conditioning_channel_order", "rgb");
    reader.require("resnet_time_scale_shift", "default");
    reader.require("time_embedding_type", "positional");
    reader.choice("act_fn", "silu", {"silu", "swish"});
    // The attention here sums in float32 whatever its inputs are, which is all that upcast_attention asks for.
    reader.ignore({"upcast_attention", "dropout", "sample_size"});
}

void check_divisibility(const ConfigReader &reader, const UNetConfig &config) {
    for (size_t level = 0; level < config.block_out_channels.size(); level++) {
        if (config.block_out_channels[level] % config.norm_num_groups)
            reader.refuse("norm_num_groups", "does not divide block_out_channels");
        if (config.block_out_channels[level] % config.heads[level])
            reader.refuse("attention_head_dim", "the number of heads does not divide block_out_channels");
    }
}

} // namespace

UNetConfig UNetConfig::from_json(const io::Json &json) {
    ConfigReader reader(json);
    UNetConfig config;
    config.in_channels = reader.integer("in_channels", 4, 1, max_channels);
    config.out_channels = reader.integer("out_channels", 4, 1, max_channels);
    read_levels(reader, config);
    read_middle(reader, json, config);
    config.norm_num_groups = reader.integer("norm_num_groups", 32, 1, max_channels);
    config.norm_eps = reader.number("norm_eps", 1e-5, 0, 1);
    config.use_linear_projection = reader.boolean("use_linear_projection", false);
    config.flip_sin_to_cos = reader.boolean("flip_sin_to_cos", true);
    config.freq_shift = reader.number("freq_shift", 0, -1, 1);
    config.conditioning_channels = reader.integer("conditioning_channels", 3, 1, max_channels);
    config.conditioning_embedding_out_channels = reader.integers("conditioning_embedding_out_channels", 1, max_channels);
    if (config.conditioning_embedding_out_channels.empty())
        config.conditioning_embedding_out_channels = {16, 32, 96, 256};
    read_text_time(reader, config);
    require_neutral(reader);
    reader.check_rest();
    check_divisibility(reader, config);
    return config;
}

} // namespace aianime::nn
