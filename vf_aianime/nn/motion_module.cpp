// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/motion_module.h"

#include <cmath>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/parts.h"
#include "nn/transformer.h"

namespace aianime::nn {

namespace {

// The table that files without one were trained with: [1, positions, channels].
at::Tensor sinusoidal_positions(int64_t positions, int64_t channels) {
    const at::Tensor position = at::arange(positions, at::kFloat).unsqueeze(1);
    const at::Tensor rate = at::exp(at::arange(0, channels, 2, at::kFloat) * (-std::log(10000.0) / static_cast<double>(channels)));
    const at::Tensor angle = position * rate;
    return at::stack({at::sin(angle), at::cos(angle)}, 2).flatten(1).unsqueeze(0);
}

// diffusers BasicTransformerBlock with two self-attentions and a position table. x [sequences, frames, channels].
class MotionBlock : public Module {
public:
    MotionBlock(const MotionLayerConfig &config, int64_t positions, bool stored_positions)
        : positions_(positions), stored_positions_(stored_positions), channels_(config.channels), norm1(config.channels),
          attn1(config.channels, config.channels, config.heads), norm2(config.channels),
          attn2(config.channels, config.channels, config.heads), norm3(config.channels), ff(config.channels) {
        child("norm1", norm1);
        child("attn1", attn1);
        child("norm2", norm2);
        child("attn2", attn2);
        child("norm3", norm3);
        child("ff", ff);
        if (stored_positions)
            parameter("pos_embed.pe", table, {1, positions, channels_});
    }

    void loaded() override {
        if (!stored_positions_)
            table = sinusoidal_positions(positions_, channels_).to(norm1.weight.options());
    }

    at::Tensor forward(const at::Tensor &x) const {
        const at::Tensor places = table.slice(1, 0, x.size(1));
        at::Tensor h = attn1.self(norm1.forward(x).add_(places)).add_(x);
        h = attn2.self(norm2.forward(h).add_(places)).add_(h);
        return ff.forward(norm3.forward(h)).add_(h);
    }

private:
    int64_t positions_;
    bool stored_positions_;
    int64_t channels_;
    LayerNorm norm1;
    Attention attn1;
    LayerNorm norm2;
    Attention attn2;
    LayerNorm norm3;
    FeedForward ff;
    at::Tensor table;
};

// diffusers AnimateDiffTransformer3D.
class MotionLayer : public Module {
public:
    MotionLayer(const MotionLayerConfig &config, const MotionConfig &all, int64_t groups, MotionNorms norms)
        : norms_(norms), norm(groups, config.channels, 1e-6), proj_in(config.channels, config.channels),
          proj_out(config.channels, config.channels) {
        child("norm", norm);
        child("proj_in", proj_in);
        for (int64_t i = 0; i < config.blocks; i++) {
            blocks_.push_back(std::make_unique<MotionBlock>(config, all.positions, all.stored_positions));
            child("transformer_blocks." + std::to_string(i), *blocks_.back());
        }
        child("proj_out", proj_out);
    }

    at::Tensor forward(const at::Tensor &x, int64_t branches) const {
        // Pixels need nothing of each other.
        const at::Tensor h = over_parts(frames_last(to_tokens(normal(x, branches)), branches), [this](const Part &part) {
            at::Tensor h = proj_in.forward(part.x);
            for (const auto &block : blocks_)
                h = block->forward(h);
            return proj_out.forward(h);
        });
        return to_picture(frames_last(h, branches), x.size(2), x.size(3)).add_(x);
    }

private:
    at::Tensor normal(const at::Tensor &x, int64_t branches) const {
        if (norms_ == MotionNorms::diffusers)
            return norm.forward_clips(x, branches);
        return in_parts(x, [this](const Part &part) { return norm.forward(part.x); });
    }

    // [branches * n, m, channels] -> [branches * m, n, channels]: from pixels of a frame to frames of a pixel, and back.
    static at::Tensor frames_last(const at::Tensor &x, int64_t branches) {
        return x.unflatten(0, {branches, -1}).transpose(1, 2).flatten(0, 1).contiguous();
    }

    MotionNorms norms_;
    GroupNorm norm;
    Linear proj_in;
    std::vector<std::unique_ptr<MotionBlock>> blocks_;
    Linear proj_out;
};

std::string layer_name(const std::string &block, int64_t layer) { return block + ".motion_modules." + std::to_string(layer); }

} // namespace

struct MotionModule::Impl : Module {
    Impl(const MotionConfig &config, const UNetConfig &unet, MotionNorms norms, const std::string &name)
        : config(config), norms(norms), name(name) {
        const size_t levels = unet.block_out_channels.size();
        for (size_t i = 0; i < levels; i++)
            down.push_back(make_block("down_blocks." + std::to_string(i), unet, i, unet.layers_per_block[i]));
        if (config.has_mid_block() && unet.mid_block && unet.mid_cross_attention)
            mid = make_block("mid_block", unet, levels - 1, 1);
        for (size_t i = 0; i < levels; i++) {
            const size_t level = levels - 1 - i;
            up.push_back(make_block("up_blocks." + std::to_string(i), unet, level, unet.layers_per_block[level] + 1));
        }
        if (made != config.layers.size())
            refuse("it has " + std::to_string(config.layers.size()) + " modules, the U-Net has places for " + std::to_string(made));
    }

    using Block = std::vector<std::unique_ptr<MotionLayer>>;

    Block make_block(const std::string &block, const UNetConfig &unet, size_t level, int64_t count) {
        Block layers;
        for (int64_t i = 0; i < count; i++) {
            const std::string place = layer_name(block, i);
            const auto found = config.layers.find(place);
            if (found == config.layers.end())
                refuse("there is no " + place);
            const MotionLayerConfig &layer = found->second;
            if (layer.channels != unet.block_out_channels[level])
                refuse(place + " is " + std::to_string(layer.channels) + " wide, the U-Net's layer " +
                       std::to_string(unet.block_out_channels[level]));
            if (layer.channels % layer.heads || layer.channels % 2)
                refuse(place + ": " + std::to_string(layer.heads) + " heads do not divide its width");
            layers.push_back(std::make_unique<MotionLayer>(layer, config, unet.norm_num_groups, norms));
            child(place, *layers.back());
            made++;
        }
        return layers;
    }

    [[noreturn]] void refuse(const std::string &why) const {
        throw Error(AIANIME_BAD_DATA, name + ": the motion module is not for a U-Net like this one: " + why +
                                          "; a module for Stable Diffusion 1.5 needs a checkpoint of that family");
    }

    const MotionConfig config;
    const MotionNorms norms;
    const std::string name;
    std::vector<Block> down;
    Block mid;
    std::vector<Block> up;
    size_t made = 0;
};

MotionModule::MotionModule(const MotionConfig &config, const UNetConfig &unet, MotionNorms norms, const std::string &name)
    : impl_(std::make_unique<Impl>(config, unet, norms, name)) {}
MotionModule::~MotionModule() = default;
Module &MotionModule::module() { return *impl_; }
const MotionConfig &MotionModule::config() const { return impl_->config; }
int64_t MotionModule::max_frames() const { return impl_->config.positions; }

void MotionModule::check_frames(int64_t frames) const {
    if (frames > max_frames())
        throw Error(AIANIME_OUT_OF_RANGE, impl_->name + ": " + impl_->config.title() + " can move " + std::to_string(max_frames()) +
                                              " frames together, the window has " + std::to_string(frames) +
                                              "; make the window shorter");
}

bool MotionModule::norms_see_clips() const { return impl_->norms == MotionNorms::trained && impl_->config.is_version_1(); }

at::Tensor MotionModule::down(size_t block, size_t layer, const at::Tensor &x, int64_t branches) const {
    return impl_->down[block][layer]->forward(x, branches);
}

at::Tensor MotionModule::mid(const at::Tensor &x, int64_t branches) const {
    return impl_->mid.empty() ? x : impl_->mid.front()->forward(x, branches);
}

at::Tensor MotionModule::up(size_t block, size_t layer, const at::Tensor &x, int64_t branches) const {
    return impl_->up[block][layer]->forward(x, branches);
}

} // namespace aianime::nn
