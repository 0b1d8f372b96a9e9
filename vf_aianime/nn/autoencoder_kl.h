// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "nn/autoencoder.h"
#include "nn/resnet.h"

namespace aianime::nn {

struct AutoencoderKlConfig {
    int64_t latent_channels = 4;
    std::vector<int64_t> block_out_channels;
    int64_t layers_per_block = 1;
    int64_t norm_num_groups = 32;
    double scaling_factor = 0.18215;
    double shift_factor = 0;
    bool quant_conv = true;
    bool post_quant_conv = true;
    bool mid_attention = true;

    static AutoencoderKlConfig from_json(const io::Json &config);
};

// The attention of an autoencoder's middle: one head over all places of the picture.
class PictureAttention : public Module {
public:
    PictureAttention(int64_t channels, int64_t groups);
    at::Tensor forward(const at::Tensor &x) const;

private:
    GroupNorm group_norm;
    Linear to_q, to_k, to_v, to_out;
};

// resnet, attention, resnet.
class AutoencoderMidBlock : public Module {
public:
    explicit AutoencoderMidBlock(const AutoencoderKlConfig &config);
    at::Tensor forward(const at::Tensor &x) const;

private:
    ResnetBlock first_, second_;
    std::unique_ptr<PictureAttention> attention_;
};

class AutoencoderKlEncoder : public Module {
public:
    explicit AutoencoderKlEncoder(const AutoencoderKlConfig &config);
    // Picture -> means and logarithms of variances.
    at::Tensor forward(const at::Tensor &picture) const;

    Conv2d conv_in;

private:
    // A level's resnets, then its downsampler (none at the last level).
    struct Level : Module {
        Level(const AutoencoderKlConfig &config, size_t index);
        std::vector<std::unique_ptr<ResnetBlock>> resnets;
        std::unique_ptr<Downsample> downsampler;
    };
    std::vector<std::unique_ptr<Level>> levels_;
    AutoencoderMidBlock mid_block;
    GroupNorm conv_norm_out;
    Conv2d conv_out;
};

class AutoencoderKlDecoder : public Module {
public:
    explicit AutoencoderKlDecoder(const AutoencoderKlConfig &config);
    at::Tensor forward(const at::Tensor &latent) const;

    Conv2d conv_in;

private:
    struct Level : Module {
        // Levels count from the latent's side.
        Level(const AutoencoderKlConfig &config, size_t index);
        std::vector<std::unique_ptr<ResnetBlock>> resnets;
        std::unique_ptr<Upsample> upsampler;
    };
    AutoencoderMidBlock mid_block;
    std::vector<std::unique_ptr<Level>> levels_;
    GroupNorm conv_norm_out;
    Conv2d conv_out;
};

// diffusers AutoencoderKL.
class AutoencoderKl : public Autoencoder {
public:
    explicit AutoencoderKl(const AutoencoderKlConfig &config);

    Module &module() override { return root_; }
    int64_t latent_channels() const override { return config_.latent_channels; }
    int64_t stride() const override { return int64_t{1} << (config_.block_out_channels.size() - 1); }
    at::Tensor encode(const at::Tensor &picture) const override;
    at::Tensor decode(const at::Tensor &latent) const override;
    void release_encoder() override { root_.encoder.release(); }

private:
    struct Root : Module {
        explicit Root(const AutoencoderKlConfig &config);
        AutoencoderKlEncoder encoder;
        AutoencoderKlDecoder decoder;
        std::unique_ptr<Conv2d> quant_conv, post_quant_conv;
    };
    AutoencoderKlConfig config_;
    Root root_;
};

} // namespace aianime::nn
