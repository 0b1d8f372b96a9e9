// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/error.h"
#include "nn/aten.h"
#include "nn/timestep.h"
#include "nn/unet.h"
#include "nn/unet_blocks.h"

namespace aianime::nn {

namespace {

// diffusers ControlNetConditioningEmbedding: picture to latent resolution.
class ConditioningEmbedding : public Module {
public:
    explicit ConditioningEmbedding(const UNetConfig &config)
        : conv_in(config.conditioning_channels, config.conditioning_embedding_out_channels.front(), 3),
          conv_out(config.conditioning_embedding_out_channels.back(), config.block_out_channels.front(), 3) {
        child("conv_in", conv_in);
        const std::vector<int64_t> &channels = config.conditioning_embedding_out_channels;
        for (size_t i = 0; i + 1 < channels.size(); i++) {
            blocks_.push_back(std::make_unique<Conv2d>(channels[i], channels[i], 3));
            blocks_.push_back(std::make_unique<Conv2d>(channels[i], channels[i + 1], 3, 2));
        }
        for (size_t i = 0; i < blocks_.size(); i++)
            child("blocks." + std::to_string(i), *blocks_[i]);
        child("conv_out", conv_out);
    }

    at::Tensor forward(const at::Tensor &hint) const {
        at::Tensor h = conv_in.forward(like_weight(hint, conv_in.weight));
        for (const auto &block : blocks_)
            h = block->forward(at::silu_(h));
        return conv_out.forward(at::silu_(h));
    }

private:
    Conv2d conv_in;
    std::vector<std::unique_ptr<Conv2d>> blocks_;
    Conv2d conv_out;
};

} // namespace

struct ControlNet::Impl : Module {
    explicit Impl(const UNetConfig &config)
        : config(config), conv_in(config.in_channels, config.block_out_channels.front(), 3),
          time_embedding(config.block_out_channels.front(), time_channels(config)), add_embedding(make_text_time(config)),
          cond_embedding(config), mid_conv(config.block_out_channels.back(), config.block_out_channels.back(), 1) {
        child("conv_in", conv_in);
        child("time_embedding", time_embedding);
        if (add_embedding)
            child("add_embedding", *add_embedding);
        child("controlnet_cond_embedding", cond_embedding);
        add_zero_conv(config.block_out_channels.front());
        const size_t levels = config.block_out_channels.size();
        for (size_t i = 0; i < levels; i++) {
            down_blocks.push_back(std::make_unique<DownBlock>(config, i));
            child("down_blocks." + std::to_string(i), *down_blocks.back());
            const int64_t residuals = config.layers_per_block[i] + (i + 1 < levels ? 1 : 0);
            for (int64_t j = 0; j < residuals; j++)
                add_zero_conv(config.block_out_channels[i]);
        }
        if (config.mid_block) {
            mid_block = std::make_unique<MidBlock>(config);
            child("mid_block", *mid_block);
        }
        child("controlnet_mid_block", mid_conv);
    }

    ControlResiduals forward(const at::Tensor &x, const at::Tensor &hint, const Conditions &conditions) const {
        at::Tensor h = conv_in.forward(x).add_(hint);
        std::vector<at::Tensor> skips = {h};
        for (const auto &block : down_blocks)
            h = block->forward(h, conditions, skips);
        if (mid_block)
            h = mid_block->forward(h, conditions);
        ControlResiduals residuals;
        for (size_t i = 0; i < skips.size(); i++)
            residuals.down.push_back(zero_convs[i]->forward(skips[i]));
        residuals.mid = mid_conv.forward(h);
        return residuals;
    }

    const UNetConfig config;
    Conv2d conv_in;
    TimestepEmbedding time_embedding;
    std::unique_ptr<TextTimeEmbedding> add_embedding;
    ConditioningEmbedding cond_embedding;
    std::vector<std::unique_ptr<DownBlock>> down_blocks;
    std::unique_ptr<MidBlock> mid_block;
    std::vector<std::unique_ptr<Conv2d>> zero_convs; // zero only before training
    Conv2d mid_conv;

private:
    void add_zero_conv(int64_t channels) {
        zero_convs.push_back(std::make_unique<Conv2d>(channels, channels, 1));
        child("controlnet_down_blocks." + std::to_string(zero_convs.size() - 1), *zero_convs.back());
    }
};

ControlNet::ControlNet(const UNetConfig &config) : impl_(std::make_unique<Impl>(config)) {}
ControlNet::~ControlNet() = default;
const UNetConfig &ControlNet::config() const { return impl_->config; }
Module &ControlNet::module() { return *impl_; }

at::Tensor ControlNet::embed_hint(const at::Tensor &hint) const {
    if (hint.dim() != 4 || hint.size(1) != impl_->config.conditioning_channels)
        throw Error(AIANIME_INTERNAL, "control network: the picture is not [batch, channels, height, width]");
    return impl_->cond_embedding.forward(hint);
}

ControlResiduals ControlNet::forward(const at::Tensor &x, const Timesteps &timesteps, const at::Tensor &text,
                                     const at::Tensor &hint, FrameAttention *frames) const {
    const UNetConfig &config = impl_->config;
    check_inputs(config, x, text);
    if (hint.dim() != 4 || hint.size(2) != x.size(2) || hint.size(3) != x.size(3))
        throw Error(AIANIME_BAD_DATA,
                    "control network: its picture embedding is not of the latents' size; it belongs to a model with "
                    "another autoencoder");
    const at::Tensor &weight = impl_->conv_in.weight;
    const at::Tensor sinusoids =
        sinusoidal_timestep(timesteps, config.block_out_channels.front(), config.flip_sin_to_cos, config.freq_shift);
    const at::Tensor words = like_weight(text, weight);
    const at::Tensor time = impl_->time_embedding.forward(sinusoids, text_in_time(impl_->add_embedding.get(), words, x.size(0)));
    const Conditions conditions = {time, words, frames};
    return impl_->forward(like_weight(x, weight), like_weight(hint, weight), conditions);
}

} // namespace aianime::nn
