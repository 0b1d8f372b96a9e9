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
    const at::Tensor h = third_.forward(at::relu(second_.forward(at::relu(first_.forward(x)))));
    return at::relu(at::add(h, x));
}

void TinyStack::add(std::unique_ptr<Conv2d> convolution) {
    child("layers." + std::to_string(layers_.size()), *convolution);
    layers_.push_back({std::move(convolution), nullptr, false});
}

void TinyStack::add_blocks(int64_t count, int64_t channels) {
    for (int64_t i = 0; i < count; i++) {
        auto block = std::make_unique<TinyBlock>(channels);
        child("layers." + std::to_string(layers_.size()), *block);
        layers_.push_back({nullptr, std::move(block), false});
    }
}

std::unique_ptr<TinyStack> TinyStack::encoder(const AutoencoderTinyConfig &config) {
    auto stack = std::make_unique<TinyStack>();
    const std::vector<int64_t> &channels = config.encoder_channels;
    for (size_t i = 0; i < channels.size(); i++) {
        stack->add(i ? std::make_unique<Conv2d>(channels[i], channels[i], 3, 2, false)
                     : std::make_unique<Conv2d>(3, channels[i], 3));
        stack->add_blocks(config.encoder_blocks[i], channels[i]);
    }
    stack->add(std::make_unique<Conv2d>(channels.back(), config.latent_channels, 3));
    return stack;
}

std::unique_ptr<TinyStack> TinyStack::decoder(const AutoencoderTinyConfig &config) {
    auto stack = std::make_unique<TinyStack>();
    const std::vector<int64_t> &channels = config.decoder_channels;
    stack->add(std::make_unique<Conv2d>(config.latent_channels, channels.front(), 3));
    stack->layers_.push_back({nullptr, nullptr, true});
    for (size_t i = 0; i < channels.size(); i++) {
        const bool last = i + 1 == channels.size();
        stack->add_blocks(config.decoder_blocks[i], channels[i]);
        if (!last)
            stack->layers_.push_back({nullptr, nullptr, false});
        stack->add(std::make_unique<Conv2d>(channels[i], last ? 3 : channels[i], 3, 1, last));
    }
    return stack;
}

at::Tensor TinyStack::forward(const at::Tensor &x) const {
    at::Tensor h = x;
    for (const Layer &layer : layers_) {
        if (layer.convolution)
            h = layer.convolution->forward(h);
        else if (layer.block)
            h = layer.block->forward(h);
        else
            h = layer.relu ? at::relu(h) : at::upsample_nearest2d(h, {2 * h.size(2), 2 * h.size(3)});
    }
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
