// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/unet.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/cfa_module.h"
#include "nn/motion_module.h"
#include "nn/parts.h"
#include "nn/timestep.h"
#include "nn/unet_blocks.h"

namespace aianime::nn {

void accumulate(ControlResiduals &a, ControlResiduals &&b, double scale) {
    const auto add = [scale](at::Tensor &sum, const at::Tensor &more) {
        sum = sum.defined() ? at::add(sum, more, scale) : scale == 1 ? more : at::mul(more, scale);
    };
    if (a.down.empty())
        a.down.resize(b.down.size());
    if (a.down.size() != b.down.size())
        throw Error(AIANIME_INTERNAL, "control networks of different depth cannot be summed");
    for (size_t i = 0; i < b.down.size(); i++)
        add(a.down[i], b.down[i]);
    if (b.mid.defined())
        add(a.mid, b.mid);
    b = {};
}

struct UNet::Impl : Module {
    explicit Impl(const UNetConfig &config)
        : config(config), conv_in(config.in_channels, config.block_out_channels.front(), 3),
          time_embedding(config.block_out_channels.front(), time_channels(config)), add_embedding(make_text_time(config)),
          conv_norm_out(config.norm_num_groups, config.block_out_channels.front(), config.norm_eps),
          conv_out(config.block_out_channels.front(), config.out_channels, 3) {
        child("conv_in", conv_in);
        child("time_embedding", time_embedding);
        if (add_embedding)
            child("add_embedding", *add_embedding);
        const size_t levels = config.block_out_channels.size();
        for (size_t i = 0; i < levels; i++) {
            down_blocks.push_back(std::make_unique<DownBlock>(config, i));
            child("down_blocks." + std::to_string(i), *down_blocks.back());
        }
        if (config.mid_block) {
            mid_block = std::make_unique<MidBlock>(config);
            child("mid_block", *mid_block);
        }
        for (size_t i = 0; i < levels; i++) {
            up_blocks.push_back(std::make_unique<UpBlock>(config, levels - 1 - i));
            child("up_blocks." + std::to_string(i), *up_blocks.back());
        }
        child("conv_norm_out", conv_norm_out);
        child("conv_out", conv_out);
    }

    at::Tensor forward(const at::Tensor &x, const Conditions &conditions, ControlResiduals *control) const {
        at::Tensor h = conv_in.forward(x);
        std::vector<at::Tensor> skips = {h};
        for (const auto &block : down_blocks)
            h = block->forward(h, conditions, skips);
        if (mid_block)
            h = mid_block->forward(h, conditions);
        if (control)
            h = add_control(h, skips, *control);
        for (const auto &block : up_blocks)
            h = block->forward(std::move(h), conditions, skips);
        const int64_t clips = clips_in_norms(conditions);
        const auto finish = [&](const Part &part) { return conv_out.forward(conv_norm_out.forward_silu(part.x, clips)); };
        return clips ? finish({h, 0, h.size(0)}) : in_parts(h, finish);
    }

    static at::Tensor add_control(const at::Tensor &mid, std::vector<at::Tensor> &skips, ControlResiduals &control) {
        if (control.down.size() != skips.size())
            throw Error(AIANIME_INTERNAL, "the control network gives " + std::to_string(control.down.size()) +
                                              " residuals, the U-Net takes " + std::to_string(skips.size()));
        for (size_t i = 0; i < skips.size(); i++) {
            const at::Tensor more = std::move(control.down[i]);
            if (at::GradMode::is_enabled() || skips[i].is_same(mid))
                skips[i] = at::add(skips[i], more);
            else
                skips[i].add_(more);
        }
        const at::Tensor more = std::exchange(control, {}).mid;
        return more.defined() ? at::add(mid, more) : mid;
    }

    const UNetConfig config;
    Conv2d conv_in;
    TimestepEmbedding time_embedding;
    std::unique_ptr<TextTimeEmbedding> add_embedding;
    std::vector<std::unique_ptr<DownBlock>> down_blocks;
    std::unique_ptr<MidBlock> mid_block;
    std::vector<std::unique_ptr<UpBlock>> up_blocks;
    GroupNorm conv_norm_out;
    Conv2d conv_out;
};

UNet::UNet(const UNetConfig &config) {
    if (config.up_block_types.size() != config.block_out_channels.size())
        throw Error(AIANIME_BAD_DATA, "U-Net config: up_block_types: needs one entry for each of block_out_channels");
    impl_ = std::make_unique<Impl>(config);
}
UNet::~UNet() = default;
const UNetConfig &UNet::config() const { return impl_->config; }
Module &UNet::module() { return *impl_; }

at::Tensor UNet::forward(const at::Tensor &x, const Timesteps &timesteps, const at::Tensor &text, FrameAttention *frames,
                         ControlResiduals *control, const MotionModule *motion, const std::vector<ImagePrompt> *images,
                         const LocalText *local) const {
    const UNetConfig &config = impl_->config;
    check_inputs(config, x, text);
    const int64_t branches = frames ? frames->branches : 1;
    if (motion)
        motion->check_frames(x.size(0) / branches);
    const at::Tensor &weight = impl_->conv_in.weight;
    const at::Tensor sinusoids =
        sinusoidal_timestep(timesteps, config.block_out_channels.front(), config.flip_sin_to_cos, config.freq_shift);
    CrossFrames *cross = frames ? frames->cross : nullptr;
    if (cross)
        cross->begin();
    const std::vector<ImagePrompt> none;
    ImageAttention pictures(images ? *images : none);
    std::optional<LocalWords> local_words;
    if (local && local->any())
        local_words.emplace(*local);
    const at::Tensor words = like_weight(text, weight);
    const Conditions conditions = {
        impl_->time_embedding.forward(sinusoids, text_in_time(impl_->add_embedding.get(), words, x.size(0))),
        words,
        frames,
        motion,
        branches,
        images ? &pictures : nullptr,
        cross && cross->module ? cross : nullptr,
        local_words ? &*local_words : nullptr};
    return impl_->forward(like_weight(x, weight), conditions, control);
}

} // namespace aianime::nn
