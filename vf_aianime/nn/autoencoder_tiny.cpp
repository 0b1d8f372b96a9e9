// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/autoencoder_tiny.h"

#include <algorithm>

#include "nn/aten.h"
#include "nn/config_reader.h"

namespace aianime::nn {

namespace {

constexpr int64_t max_channels = 16384;
constexpr int64_t max_blocks = 32;

bool all_equal(const std::vector<int64_t> &list) {
    return std::count(list.begin(), list.end(), list.front()) == static_cast<std::ptrdiff_t>(list.size());
}

} // namespace

AutoencoderTinyConfig AutoencoderTinyConfig::from_json(const io::Json &json) {
    ConfigReader reader(json);
    AutoencoderTinyConfig config;
    reader.require("in_channels", 3.0);
    reader.require("out_channels", 3.0);
    reader.require("upsampling_scaling_factor", 2.0);
    reader.require("act_fn", "relu");
    reader.require("upsample_fn", "nearest");
    config.latent_channels = reader.integer("latent_channels", 4, 1, 64);
    const auto list = [&reader](const char *key, std::vector<int64_t> fallback, int64_t max) {
        std::vector<int64_t> given = reader.integers(key, 1, max);
        return given.empty() ? fallback : given;
    };
    config.encoder_channels = list("encoder_block_out_channels", {64, 64, 64, 64}, max_channels);
    config.decoder_channels = list("decoder_block_out_channels", {64, 64, 64, 64}, max_channels);
    config.encoder_blocks = list("num_encoder_blocks", {1, 3, 3, 3}, max_blocks);
    config.decoder_blocks = list("num_decoder_blocks", {3, 3, 3, 1}, max_blocks);
    if (config.encoder_channels.size() != config.encoder_blocks.size())
        reader.refuse("num_encoder_blocks", "needs one entry for each of encoder_block_out_channels");
    if (config.decoder_channels.size() != config.decoder_blocks.size())
        reader.refuse("num_decoder_blocks", "needs one entry for each of decoder_block_out_channels");
    if (config.encoder_blocks.size() != config.decoder_blocks.size())
        reader.refuse("num_decoder_blocks", "the decoder must undo the encoder's reduction: as many entries as num_encoder_blocks");
    // A level's strided or doubling convolution has its own channels on both sides, so that levels cannot differ.
    if (!all_equal(config.encoder_channels))
        reader.refuse("encoder_block_out_channels", "the entries must be equal");
    if (!all_equal(config.decoder_channels))
        reader.refuse("decoder_block_out_channels", "the entries must be equal");
    config.scaling_factor = reader.number("scaling_factor", 1, 1e-6, 1e6);
    config.shift_factor = reader.number("shift_factor", 0, -1e6, 1e6);
    // block_out_channels repeats the decoder's; magnitude and shift serve storing latents as bytes.
    reader.ignore({"block_out_channels", "force_upcast", "latent_magnitude", "latent_shift"});
    reader.check_rest();
    return config;
}

TinyBlock::TinyBlock(int64_t channels)
    : first_(channels, channels, 3), second_(channels, channels, 3), third_(channels, channels, 3) {
    child("conv.0", first_);
    child("conv.2", second_);
    child("conv.4", third_);
}

at::Tensor TinyBlock::forward(const at::Tensor &x) const {
    at::Tensor h = first_.forward(x).relu_();
    h = second_.forward(h).relu_();
    return third_.forward(h).add_(x).relu_();
}

void TinyStack::add(Layer layer) {
    Module *module = layer.convolution.get();
    if (layer.block)
        module = layer.block.get();
    if (layer.doubling)
        module = layer.doubling.get();
    child("layers." + std::to_string(next_++), *module);
    layers_.push_back(std::move(layer));
}

void TinyStack::add_blocks(int64_t count, int64_t channels) {
    for (int64_t i = 0; i < count; i++)
        add({nullptr, std::make_unique<TinyBlock>(channels), nullptr});
}

void TinyStack::add_convolution(int64_t in, int64_t out, int64_t stride) {
    add({std::make_unique<Conv2d>(in, out, 3, stride, stride == 1), nullptr, nullptr});
}

std::unique_ptr<TinyStack> TinyStack::encoder(const AutoencoderTinyConfig &config) {
    auto stack = std::make_unique<TinyStack>();
    const int64_t channels = config.encoder_channels.front();
    stack->add_convolution(3, channels);
    for (size_t i = 0; i < config.encoder_blocks.size(); i++) {
        if (i)
            stack->add_convolution(channels, channels, 2);
        stack->add_blocks(config.encoder_blocks[i], channels);
    }
    stack->add_convolution(channels, config.latent_channels);
    return stack;
}

std::unique_ptr<TinyStack> TinyStack::decoder(const AutoencoderTinyConfig &config) {
    auto stack = std::make_unique<TinyStack>();
    const int64_t channels = config.decoder_channels.front();
    stack->add_convolution(config.latent_channels, channels);
    stack->relu_ = true;
    stack->next_++;
    for (size_t i = 0; i < config.decoder_blocks.size(); i++) {
        stack->add_blocks(config.decoder_blocks[i], channels);
        if (i + 1 == config.decoder_blocks.size())
            break;
        stack->next_++; // the doubling has a number of its own
        stack->add({nullptr, nullptr, std::make_unique<DoublingConv>(channels, channels, false)});
    }
    stack->add_convolution(channels, 3);
    return stack;
}

at::Tensor TinyStack::Layer::forward(const at::Tensor &x) const {
    if (block)
        return block->forward(x);
    return doubling ? doubling->forward_doubled(x) : convolution->forward(x);
}

at::Tensor TinyStack::forward(const at::Tensor &x) const {
    at::Tensor h = layers_.front().forward(x);
    if (relu_)
        h = h.relu_();
    for (size_t i = 1; i < layers_.size(); i++)
        h = layers_[i].forward(h);
    return h;
}

AutoencoderTiny::Root::Root(const AutoencoderTinyConfig &config)
    : encoder(TinyStack::encoder(config)), decoder(TinyStack::decoder(config)) {
    child("encoder", *encoder);
    child("decoder", *decoder);
}

AutoencoderTiny::AutoencoderTiny(const AutoencoderTinyConfig &config) : config_(config), root_(config) {}

at::Tensor AutoencoderTiny::encode(const at::Tensor &picture) const {
    const at::Tensor unit = at::div(at::add(picture, 1), 2);
    const at::Tensor own = root_.encoder->forward(like_weight(unit, root_.encoder->first_weight()));
    return at::mul(at::sub(own, config_.shift_factor), config_.scaling_factor);
}

at::Tensor AutoencoderTiny::decode(const at::Tensor &latent) const {
    const at::Tensor own = at::add(at::div(latent, config_.scaling_factor), config_.shift_factor);
    const at::Tensor bounded = at::mul(at::tanh(at::div(own, 3)), 3);
    const at::Tensor unit = root_.decoder->forward(like_weight(bounded, root_.decoder->first_weight()));
    return at::sub(at::mul(unit, 2), 1);
}

} // namespace aianime::nn
