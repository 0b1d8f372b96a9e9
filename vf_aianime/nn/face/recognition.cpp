// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/recognition.h"

#include "nn/aten.h"

namespace aianime::nn {

FaceRecognition::Block::Block(int64_t in, int64_t out, bool goes_down)
    : down(goes_down), conv1(in, out, 3, goes_down ? 2 : 1, goes_down ? Edge::valid : Edge::same), conv2(out, out, 3) {
    child("conv1", conv1);
    child("conv2", conv2);
}

at::Tensor FaceRecognition::Block::forward(const at::Tensor &x) const {
    const at::Tensor inner = conv2.forward(at::relu(conv1.forward(x)));
    if (!down)
        return at::relu(inner + x);
    // What is missing of either, pixels behind or channels, is zero.
    const at::Tensor pooled = at::avg_pool2d(x, {2, 2}, {2, 2});
    const at::Tensor padded = at::constant_pad_nd(inner, {0, pooled.size(3) - inner.size(3), 0, pooled.size(2) - inner.size(2)});
    return at::relu(padded + at::constant_pad_nd(pooled, {0, 0, 0, 0, 0, inner.size(1) - pooled.size(1)}));
}

FaceRecognition::FaceRecognition() : begin_(3, 32, 7, 2, Edge::valid), fc_(256, descriptor, false) {
    child("conv32_down", begin_);
    for (const char *name : {"conv32_1", "conv32_2", "conv32_3"})
        add(name, 32, 32, false);
    add("conv64_down", 32, 64, true);
    for (const char *name : {"conv64_1", "conv64_2", "conv64_3"})
        add(name, 64, 64, false);
    add("conv128_down", 64, 128, true);
    for (const char *name : {"conv128_1", "conv128_2"})
        add(name, 128, 128, false);
    add("conv256_down", 128, 256, true);
    for (const char *name : {"conv256_1", "conv256_2"})
        add(name, 256, 256, false);
    add("conv256_down_out", 256, 256, true);
    child("fc", fc_);
}

void FaceRecognition::add(const std::string &name, int64_t in, int64_t out, bool down) {
    child(name, blocks_.emplace_back(in, out, down));
}

at::Tensor FaceRecognition::forward(const at::Tensor &x) const {
    at::Tensor h = at::relu(begin_.forward(like_weight(centred_colors(x), fc_.weight)));
    h = at::max_pool2d(h, {3, 3}, {2, 2});
    for (const Block &block : blocks_)
        h = block.forward(h);
    return fc_.forward(h.mean({2, 3}));
}

} // namespace aianime::nn
