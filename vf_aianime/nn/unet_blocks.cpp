// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/unet_blocks.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/cfa_module.h"
#include "nn/motion_module.h"

namespace aianime::nn {

namespace {

std::unique_ptr<ResnetBlock> make_resnet(const UNetConfig &config, int64_t in, int64_t out) {
    return std::make_unique<ResnetBlock>(in, out, time_channels(config), config.norm_num_groups, config.norm_eps);
}

} // namespace

void check_inputs(const UNetConfig &config, const at::Tensor &x, const at::Tensor &text) {
    if (x.dim() != 4 || x.size(1) != config.in_channels)
        throw Error(AIANIME_INTERNAL,
                    "U-Net: the latents are not [batch, " + std::to_string(config.in_channels) + ", height, width]");
    if (text.dim() != 3 || text.size(0) < 1 || x.size(0) % text.size(0) || text.size(2) != config.cross_attention_dim.back())
        throw Error(AIANIME_BAD_DATA, "U-Net: the text encoder's output does not have the width that cross_attention_dim says, " +
                                          std::to_string(config.cross_attention_dim.back()));
}

int64_t clips_in_norms(const Conditions &conditions) {
    return conditions.motion && conditions.motion->norms_see_clips() ? conditions.branches : 0;
}

int64_t time_channels(const UNetConfig &config) { return 4 * config.block_out_channels.front(); }

std::unique_ptr<TextTimeEmbedding> make_text_time(const UNetConfig &config) {
    if (!config.text_time_heads)
        return nullptr;
    return std::make_unique<TextTimeEmbedding>(config.cross_attention_dim.back(), time_channels(config), config.text_time_heads);
}

at::Tensor text_in_time(const TextTimeEmbedding *embedding, const at::Tensor &text, int64_t batch) {
    if (!embedding)
        return {};
    const at::Tensor all = embedding->forward(text);
    return text.size(0) == 1 ? all : at::repeat_interleave(all, batch / text.size(0), 0);
}

TransformerConfig transformer_config(const UNetConfig &config, size_t level) {
    return {config.transformer_layers[level], config.heads[level], config.cross_attention_dim[level], config.norm_num_groups,
            config.use_linear_projection};
}

DownBlock::DownBlock(const UNetConfig &config, size_t level) : level_(level) {
    const int64_t out = config.block_out_channels[level];
    const int64_t in = config.block_out_channels[level ? level - 1 : 0];
    for (int64_t i = 0; i < config.layers_per_block[level]; i++) {
        resnets_.push_back(make_resnet(config, i ? out : in, out));
        child("resnets." + std::to_string(i), *resnets_.back());
        if (config.down_block_types[level] != "CrossAttnDownBlock2D")
            continue;
        attentions_.push_back(std::make_unique<Transformer>(out, transformer_config(config, level)));
        child("attentions." + std::to_string(i), *attentions_.back());
    }
    if (level + 1 < config.block_out_channels.size()) {
        downsampler_ = std::make_unique<Downsample>(out, 1);
        child("downsamplers.0", *downsampler_);
    }
}

at::Tensor DownBlock::forward(const at::Tensor &x, const Conditions &conditions, std::vector<at::Tensor> &skips) const {
    at::Tensor h = x;
    for (size_t i = 0; i < resnets_.size(); i++) {
        h = resnets_[i]->forward(h, conditions.time, clips_in_norms(conditions));
        if (!attentions_.empty())
            h = attentions_[i]->forward(h, conditions);
        if (conditions.motion)
            h = conditions.motion->down(level_, i, h, conditions.branches);
        if (conditions.cross)
            h = conditions.cross->module->down(level_, i, h, *conditions.cross);
        skips.push_back(h);
    }
    if (downsampler_) {
        h = downsampler_->forward(h);
        skips.push_back(h);
    }
    return h;
}

MidBlock::MidBlock(const UNetConfig &config) {
    const int64_t channels = config.block_out_channels.back();
    const int64_t count = config.mid_cross_attention ? 2 : 1;
    for (int64_t i = 0; i < count; i++) {
        resnets_.push_back(make_resnet(config, channels, channels));
        child("resnets." + std::to_string(i), *resnets_.back());
    }
    if (config.mid_cross_attention) {
        attention_ = std::make_unique<Transformer>(channels, transformer_config(config, config.block_out_channels.size() - 1));
        child("attentions.0", *attention_);
    }
}

at::Tensor MidBlock::forward(const at::Tensor &x, const Conditions &conditions) const {
    const int64_t clips = clips_in_norms(conditions);
    at::Tensor h = resnets_.front()->forward(x, conditions.time, clips);
    if (attention_) {
        h = attention_->forward(h, conditions);
        if (conditions.motion)
            h = conditions.motion->mid(h, conditions.branches);
    }
    if (conditions.cross)
        h = conditions.cross->module->mid(h, *conditions.cross);
    if (!attention_)
        return h;
    return resnets_.back()->forward(h, conditions.time, clips);
}

UpBlock::UpBlock(const UNetConfig &config, size_t level) : block_(config.block_out_channels.size() - 1 - level) {
    const std::vector<int64_t> &channels = config.block_out_channels;
    const size_t last = channels.size() - 1;
    const int64_t out = channels[level];
    const int64_t layers = config.layers_per_block[level] + 1;
    for (int64_t i = 0; i < layers; i++) {
        const int64_t in = i ? out : channels[std::min(level + 1, last)];
        const int64_t skip = i + 1 < layers ? out : channels[level ? level - 1 : 0];
        resnets_.push_back(make_resnet(config, in + skip, out));
        child("resnets." + std::to_string(i), *resnets_.back());
        if (config.up_block_types[last - level] != "CrossAttnUpBlock2D")
            continue;
        attentions_.push_back(std::make_unique<Transformer>(out, transformer_config(config, level)));
        child("attentions." + std::to_string(i), *attentions_.back());
    }
    if (level) {
        upsampler_ = std::make_unique<Upsample>(out);
        child("upsamplers.0", *upsampler_);
    }
}

at::Tensor UpBlock::forward(at::Tensor x, const Conditions &conditions, std::vector<at::Tensor> &skips) const {
    at::Tensor h = std::move(x);
    for (size_t i = 0; i < resnets_.size(); i++) {
        h = resnets_[i]->forward_joined(h, skips.back(), conditions.time, clips_in_norms(conditions));
        skips.pop_back();
        if (!attentions_.empty())
            h = attentions_[i]->forward(h, conditions);
        if (conditions.motion)
            h = conditions.motion->up(block_, i, h, conditions.branches);
        if (conditions.cross)
            h = conditions.cross->module->up(block_, i, h, *conditions.cross);
    }
    // To the next level's size, which is twice this one's except where an odd side was halved.
    return upsampler_ ? upsampler_->forward(h, skips.back().size(2), skips.back().size(3)) : h;
}

} // namespace aianime::nn
