// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <string>

#include "nn/face/parts.h"

namespace aianime::nn {

// Who a face is: a ResNet whose descriptors of one person lie near each other (Euclidean distance below about 0.6).
class FaceRecognition : public Module {
public:
    static constexpr int64_t side = 150, descriptor = 128;

    FaceRecognition();
    // x: [n, 3, side, side] in [0, 1], cut as vision::recognition_square() says -> [n, descriptor]. Differentiable.
    at::Tensor forward(const at::Tensor &x) const;

private:
    struct Block : Module {
        Block(int64_t in, int64_t out, bool down);
        at::Tensor forward(const at::Tensor &x) const;
        bool down;
        FaceConv conv1, conv2;
    };
    void add(const std::string &name, int64_t in, int64_t out, bool down);

    FaceConv begin_;
    std::deque<Block> blocks_;
    Linear fc_;
};

} // namespace aianime::nn
