// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/autoencoder_kl.h"

#include "nn/aten.h"
#include "nn/config_reader.h"
#include "nn/frame_attention.h"

namespace aianime::nn {

namespace {

constexpr double eps = 1e-6;
constexpr int64_t max_channels = 16384;

std::unique_ptr<ResnetBlock> make_resnet(const AutoencoderKlConfig &config, int64_t in, int64_t out) {
    return std::make_unique<ResnetBlock>(in, out, 0, config.norm_num_groups, eps);
}

at::Tensor run(const std::vector<std::unique_ptr<ResnetBlock>> &resnets, at::Tensor x) {
    for (const auto &resnet : resnets)
        x = resnet->forward(x, {});
    return x;
}

void read_levels(ConfigReader &reader, AutoencoderKlConfig &config) {
    config.block_out_channels = reader.integers("block_out_channels", 1, max_channels);
    const size_t levels = config.block_out_channels.size();
    if (!levels)
        reader.refuse("block_out_channels", "one entry a level is needed");
    if (reader.choices("down_block_types", {"DownEncoderBlock2D"}).size() != levels)
        reader.refuse("down_block_types", "needs one entry for each of block_out_channels");
    if (reader.choices("up_block_types", {"UpDecoderBlock2D"}).size() != levels)
        reader.refuse("up_block_types", "needs one entry for each of block_out_channels");
    for (int64_t channels : config.block_out_channels)
        if (channels % config.norm_num_groups)
            reader.refuse("norm_num_groups", "does not divide block_out_channels");
}

} // namespace

AutoencoderKlConfig AutoencoderKlConfig::from_json(const io::Json &json) {
    ConfigReader reader(json);
    AutoencoderKlConfig config;
    reader.require("in_channels", 3.0);
    reader.require("out_channels", 3.0);
    config.latent_channels = reader.integer("latent_channels", 4, 1, 64);
    config.norm_num_groups = reader.integer("norm_num_groups", 32, 1, max_channels);
    config.layers_per_block = reader.integer("layers_per_block", 1, 1, 32);
    read_levels(reader, config);
    config.scaling_factor = reader.number("scaling_factor", 0.18215, 1e-6, 1e6);
    config.shift_factor = reader.number("shift_factor", 0, -1e6, 1e6);
    config.quant_conv = reader.boolean("use_quant_conv", true);
    config.post_quant_conv = reader.boolean("use_post_quant_conv", true);
    config.mid_attention = reader.boolean("mid_block_add_attention", true);
    reader.choice("act_fn", "silu", {"silu", "swish"});
    reader.ignore({"sample_size", "force_upcast"});
    reader.check_rest();
    return config;
}

PictureAttention::PictureAttention(int64_t channels, int64_t groups)
    : group_norm(groups, channels, eps), to_q(channels, channels), to_k(channels, channels), to_v(channels, channels),
      to_out(channels, channels) {
    child("group_norm", group_norm);
    child("to_q", to_q);
    child("to_k", to_k);
    child("to_v", to_v);
    child("to_out.0", to_out);
}

at::Tensor PictureAttention::forward(const at::Tensor &x) const {
    const at::Tensor tokens = to_tokens(group_norm.forward(x));
    const at::Tensor seen = attention(to_q.forward(tokens), to_k.forward(tokens), to_v.forward(tokens), 1);
    return at::add(to_picture(to_out.forward(seen), x.size(2), x.size(3)), x);
}

AutoencoderMidBlock::AutoencoderMidBlock(const AutoencoderKlConfig &config)
    : first_(config.block_out_channels.back(), config.block_out_channels.back(), 0, config.norm_num_groups, eps),
      second_(config.block_out_channels.back(), config.block_out_channels.back(), 0, config.norm_num_groups, eps) {
    child("resnets.0", first_);
    if (config.mid_attention) {
        attention_ = std::make_unique<PictureAttention>(config.block_out_channels.back(), config.norm_num_groups);
        child("attentions.0", *attention_);
    }
    child("resnets.1", second_);
}

at::Tensor AutoencoderMidBlock::forward(const at::Tensor &x) const {
    const at::Tensor h = first_.forward(x, {});
    return second_.forward(attention_ ? attention_->forward(h) : h, {});
}

AutoencoderKlEncoder::Level::Level(const AutoencoderKlConfig &config, size_t index) {
    const int64_t out = config.block_out_channels[index];
    for (int64_t i = 0; i < config.layers_per_block; i++) {
        const int64_t in = i || !index ? out : config.block_out_channels[index - 1];
        resnets.push_back(make_resnet(config, in, out));
        child("resnets." + std::to_string(i), *resnets.back());
    }
    if (index + 1 < config.block_out_channels.size()) {
        downsampler = std::make_unique<Downsample>(out, 0);
        child("downsamplers.0", *downsampler);
    }
}

AutoencoderKlEncoder::AutoencoderKlEncoder(const AutoencoderKlConfig &config)
    : conv_in(3, config.block_out_channels.front(), 3), mid_block(config),
      conv_norm_out(config.norm_num_groups, config.block_out_channels.back(), eps),
      conv_out(config.block_out_channels.back(), 2 * config.latent_channels, 3) {
    child("conv_in", conv_in);
    for (size_t i = 0; i < config.block_out_channels.size(); i++) {
        levels_.push_back(std::make_unique<Level>(config, i));
        child("down_blocks." + std::to_string(i), *levels_.back());
    }
    child("mid_block", mid_block);
    child("conv_norm_out", conv_norm_out);
    child("conv_out", conv_out);
}

at::Tensor AutoencoderKlEncoder::forward(const at::Tensor &picture) const {
    at::Tensor h = conv_in.forward(picture);
    for (const auto &level : levels_) {
        h = run(level->resnets, h);
        if (level->downsampler)
            h = level->downsampler->forward(h);
    }
    return conv_out.forward(conv_norm_out.forward_silu(mid_block.forward(h)));
}

AutoencoderKlDecoder::Level::Level(const AutoencoderKlConfig &config, size_t index) {
    const size_t last = config.block_out_channels.size() - 1;
    const int64_t out = config.block_out_channels[last - index];
    for (int64_t i = 0; i < config.layers_per_block + 1; i++) {
        const int64_t in = i || !index ? out : config.block_out_channels[last - index + 1];
        resnets.push_back(make_resnet(config, in, out));
        child("resnets." + std::to_string(i), *resnets.back());
    }
    if (index < last) {
        upsampler = std::make_unique<Upsample>(out);
        child("upsamplers.0", *upsampler);
    }
}

AutoencoderKlDecoder::AutoencoderKlDecoder(const AutoencoderKlConfig &config)
    : conv_in(config.latent_channels, config.block_out_channels.back(), 3), mid_block(config),
      conv_norm_out(config.norm_num_groups, config.block_out_channels.front(), eps),
      conv_out(config.block_out_channels.front(), 3, 3) {
    child("conv_in", conv_in);
    child("mid_block", mid_block);
    for (size_t i = 0; i < config.block_out_channels.size(); i++) {
        levels_.push_back(std::make_unique<Level>(config, i));
        child("up_blocks." + std::to_string(i), *levels_.back());
    }
    child("conv_norm_out", conv_norm_out);
    child("conv_out", conv_out);
}

at::Tensor AutoencoderKlDecoder::forward(const at::Tensor &latent) const {
    at::Tensor h = mid_block.forward(conv_in.forward(latent));
    for (const auto &level : levels_) {
        h = run(level->resnets, h);
        if (level->upsampler)
            h = level->upsampler->forward(h, 2 * h.size(2), 2 * h.size(3));
    }
    return conv_out.forward(conv_norm_out.forward_silu(h));
}

AutoencoderKl::Root::Root(const AutoencoderKlConfig &config) : encoder(config), decoder(config) {
    child("encoder", encoder);
    child("decoder", decoder);
    if (config.quant_conv) {
        quant_conv = std::make_unique<Conv2d>(2 * config.latent_channels, 2 * config.latent_channels, 1);
        child("quant_conv", *quant_conv);
    }
    if (config.post_quant_conv) {
        post_quant_conv = std::make_unique<Conv2d>(config.latent_channels, config.latent_channels, 1);
        child("post_quant_conv", *post_quant_conv);
    }
}

AutoencoderKl::AutoencoderKl(const AutoencoderKlConfig &config) : config_(config), root_(config) {}

at::Tensor AutoencoderKl::encode(const at::Tensor &picture) const {
    at::Tensor moments = root_.encoder.forward(like_weight(picture, root_.encoder.conv_in.weight));
    if (root_.quant_conv)
        moments = root_.quant_conv->forward(moments);
    return at::mul(at::sub(moments.slice(1, 0, config_.latent_channels), config_.shift_factor), config_.scaling_factor);
}

at::Tensor AutoencoderKl::decode(const at::Tensor &latent) const {
    const at::Tensor own = at::add(at::div(latent, config_.scaling_factor), config_.shift_factor);
    const at::Tensor h = like_weight(own, root_.decoder.conv_in.weight);
    return root_.decoder.forward(root_.post_quant_conv ? root_.post_quant_conv->forward(h) : h);
}

} // namespace aianime::nn
