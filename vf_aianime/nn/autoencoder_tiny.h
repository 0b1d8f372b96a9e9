// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "nn/autoencoder.h"
#include "nn/doubling_conv.h"
#include "nn/layers.h"

namespace aianime::nn {

struct AutoencoderTinyConfig {
    int64_t latent_channels = 4;
    std::vector<int64_t> encoder_channels, decoder_channels; // block_out_channels of each
    std::vector<int64_t> encoder_blocks, decoder_blocks;     // blocks a level
    double scaling_factor = 1;
    double shift_factor = 0;

    static AutoencoderTinyConfig from_json(const io::Json &config);
};

// Three convolutions with ReLU around a shortcut.
class TinyBlock : public Module {
public:
    explicit TinyBlock(int64_t channels);
    at::Tensor forward(const at::Tensor &x) const;

private:
    Conv2d first_, second_, third_;
};

// diffusers EncoderTiny or DecoderTiny: a flat list of layers, numbered as in PyTorch's Sequential.
class TinyStack : public Module {
public:
    static std::unique_ptr<TinyStack> encoder(const AutoencoderTinyConfig &config);
    static std::unique_ptr<TinyStack> decoder(const AutoencoderTinyConfig &config);
    at::Tensor forward(const at::Tensor &x) const;
    // Of the convolution that every stack begins with.
    const at::Tensor &first_weight() const { return layers_.front().convolution->weight; }

private:
    // One of the pointers is set.
    struct Layer {
        std::unique_ptr<Conv2d> convolution;
        std::unique_ptr<TinyBlock> block;
        std::unique_ptr<DoublingConv> doubling;
        at::Tensor forward(const at::Tensor &x) const;
    };
    void add(Layer layer);
    void add_convolution(int64_t in, int64_t out, int64_t stride = 1);
    void add_blocks(int64_t count, int64_t channels);
    std::vector<Layer> layers_;
    int64_t next_ = 0;  // number in the file; layers without weights have one too
    bool relu_ = false; // after the first layer
};

// diffusers AutoencoderTiny (TAESD).
class AutoencoderTiny : public Autoencoder {
public:
    explicit AutoencoderTiny(const AutoencoderTinyConfig &config);

    Module &module() override { return root_; }
    int64_t latent_channels() const override { return config_.latent_channels; }
    int64_t stride() const override { return int64_t{1} << (config_.encoder_blocks.size() - 1); }
    at::Tensor encode(const at::Tensor &picture) const override;
    at::Tensor decode(const at::Tensor &latent) const override;
    void release_encoder() override { root_.encoder->release(); }

private:
    struct Root : Module {
        explicit Root(const AutoencoderTinyConfig &config);
        std::unique_ptr<TinyStack> encoder, decoder;
    };
    AutoencoderTinyConfig config_;
    Root root_;
};

} // namespace aianime::nn
