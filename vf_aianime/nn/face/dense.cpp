// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/dense.h"

#include <array>

#include "nn/aten.h"

namespace aianime::nn {

DenseFaceNet::Block::Block(int64_t in, int64_t out) : conv1(out, out), conv2(out, out), conv3(out, out) {
    if (in == 3)
        child("conv0", *(begin_colors = std::make_unique<FaceConv>(in, out, 3, 2)));
    else
        child("conv0", *(begin = std::make_unique<SeparableConv>(in, out, 2)));
    child("conv1", conv1);
    child("conv2", conv2);
    child("conv3", conv3);
}

at::Tensor DenseFaceNet::Block::forward(const at::Tensor &x) const {
    const at::Tensor first = at::relu(begin_colors ? begin_colors->forward(x) : begin->forward(x));
    at::Tensor sum = first + conv1.forward(first);
    sum = sum + conv2.forward(at::relu(sum));
    return at::relu(sum + conv3.forward(at::relu(sum)));
}

DenseFaceNet::DenseFaceNet(int64_t outputs) : fc_(256, outputs) {
    constexpr std::array<int64_t, 5> widths = {3, 32, 64, 128, 256};
    for (size_t i = 0; i + 1 < widths.size(); i++)
        child("dense" + std::to_string(i), blocks_.emplace_back(widths[i], widths[i + 1]));
    child("fc", fc_);
}

at::Tensor DenseFaceNet::forward(const at::Tensor &x) const {
    at::Tensor h = like_weight(centred_colors(x), fc_.weight);
    for (const Block &block : blocks_)
        h = block.forward(h);
    return fc_.forward(h.mean({2, 3}));
}

} // namespace aianime::nn
