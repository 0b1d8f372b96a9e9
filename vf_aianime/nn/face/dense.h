// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <memory>

#include "nn/face/parts.h"

namespace aianime::nn {

// Four densely connected blocks and a linear layer: the network of the landmarks (136 outputs: x and y of 68 points in [0, 1]) and
// that of the expression (7 logits).
class DenseFaceNet : public Module {
public:
    static constexpr int64_t side = 112;
    static constexpr int64_t landmarks = 136, expressions = 7;

    explicit DenseFaceNet(int64_t outputs);
    // x: [n, 3, side, side] in [0, 1] -> [n, outputs]
    at::Tensor forward(const at::Tensor &x) const;

private:
    struct Block : Module {
        Block(int64_t in, int64_t out);
        at::Tensor forward(const at::Tensor &x) const;
        std::unique_ptr<FaceConv> begin_colors; // of the first block
        std::unique_ptr<SeparableConv> begin;   // of the others
        SeparableConv conv1, conv2, conv3;
    };

    std::deque<Block> blocks_;
    Linear fc_;
};

} // namespace aianime::nn
