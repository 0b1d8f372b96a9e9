// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <utility>

#include "nn/annotators/hybrid_resnet.h"

namespace aianime::nn {

// What the shapes of DPT-Hybrid's weights do not tell.
struct HybridTraits {
    int64_t head_width = 64; // of the attention
    int64_t groups = 32;     // of the ResNet's norms
};

// The vision transformer of DPT-Hybrid, on the features of its ResNet: tokens after three quarters of the blocks and after the
// last, [batch, 1 + h / 16 * w / 16, width], the first token being the class's.
class HybridTransformer : public Module {
public:
    // prefix: of its names in the file, with its dot.
    HybridTransformer(const WeightSource &source, const std::string &prefix, const HybridTraits &traits);

    int64_t width() const { return width_; } // of tokens
    const std::array<int64_t, HybridResnet::stages> &feature_widths() const { return backbone_.widths(); }

    struct Features {
        at::Tensor quarter, eighth; // the ResNet's, at these parts of the size
        at::Tensor middle, last;    // tokens
    };
    Features forward(const at::Tensor &x) const;

private:
    struct Block : Module {
        Block(const WeightSource &source, const std::string &prefix, int64_t width, int64_t head_width);
        at::Tensor forward(const at::Tensor &x) const;
        at::Tensor attend(const at::Tensor &x) const;

        int64_t heads;
        LayerNorm norm1, norm2;
        Linear q, k, v, proj, fc1, fc2;
    };

    at::Tensor positions(int64_t rows, int64_t columns) const;

    int64_t width_;
    at::Tensor cls_token_, pos_embed_;
    HybridResnet backbone_;
    Conv2d projection_;
    std::deque<Block> blocks_;
};

} // namespace aianime::nn
