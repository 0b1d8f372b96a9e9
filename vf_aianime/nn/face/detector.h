// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <vector>

#include "nn/face/box.h"
#include "nn/face/parts.h"

namespace aianime::nn {

struct FoundFace {
    FaceBox box;
    double score; // in [0, 1]
};

// Finds faces: SSD (arXiv 1512.02325) on MobileNet v1.
class FaceDetector : public Module {
public:
    static constexpr int64_t side = 512;

    FaceDetector();
    // x: [n, 3, side, side] in [0, 1] -> [n, anchors, 5]: y, x, height and width as the anchors code them, and the score's logit.
    at::Tensor forward(const at::Tensor &x) const;
    // picture: [1, 3, h, w] in [0, 1], of any size -> boxes inside it, the best first.
    std::vector<FoundFace> find(const at::Tensor &picture, double least_score) const;

private:
    struct Block : Module {
        Block(int64_t in, int64_t out, int64_t stride);
        at::Tensor forward(const at::Tensor &x) const;
        DepthwiseConv depthwise;
        FaceConv pointwise;
    };
    std::vector<FoundFace> decode(const at::Tensor &out, double least_score, double scale) const;

    FaceConv begin_;
    std::deque<Block> blocks_;
    std::deque<FaceConv> extra_, box_, face_;
    at::Tensor anchors_; // y and x of the first corner, y and x of the last, of the square
};

} // namespace aianime::nn
