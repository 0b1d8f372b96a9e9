// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nn/module.h"
#include "train/parameters.h"

namespace aianime::train {

struct LoraShape {
    int64_t rank = 16;
    double alpha = 8;
    int64_t conv_rank = 0; // of 3x3 convolutions; 0: these, and what else is in the residual blocks, stay as they are
    double conv_alpha = 0;
};

enum class LoraPart { unet, text };

enum class LoraPrecision { float32, float16, bfloat16 };

// A LoRA in training (arXiv 2106.09685) over networks that know nothing of it: apply() puts base + alpha / rank * up * down in the
// place of each weight, with a graph that leads to up and down. Layers are those that kohya's trainer takes: in the U-Net's
// transformers the projections, attention and feed-forward, with conv_rank also the residual blocks and the convolutions between
// levels (LoCon); in the text encoder attention and MLP of every layer.
//
// Keeps pointers to the networks. Thread safety: none.
class LoraLayers {
public:
    // Freezes `module`, which must be loaded, and adds its layers: down uniform as PyTorch's layers begin, a function of seed and
    // name, up zero. Throws Error (BAD_DATA) where the network has no such layer.
    void add(nn::Module &module, LoraPart part, const LoraShape &shape, uint64_t seed);

    // Float32 on the networks' device, under the names that the file has.
    const Parameters &parameters() const { return parameters_; }
    size_t layers() const { return layers_.size(); }

    // Before every forward pass that is to be trained or to show what was trained.
    void apply() const;
    // The networks as they were.
    void remove() const;

    // kohya's names, ".alpha" for every layer. Throws Error (NOT_FINITE), (NOT_FOUND, FORBIDDEN, IO).
    void write(const std::string &path, LoraPrecision precision, const std::map<std::string, std::string> &metadata) const;

private:
    struct Layer {
        std::string name; // "lora_unet_down_blocks_0_attentions_0_proj_in"
        at::Tensor *weight;
        at::Tensor base, down, up;
        double alpha, scale;
    };
    void add_layer(const std::string &name, at::Tensor &weight, int64_t rank, double alpha, uint64_t seed);
    void derive() const;

    std::vector<nn::Module *> modules_;
    std::vector<Layer> layers_;
    Parameters parameters_;
};

} // namespace aianime::train
