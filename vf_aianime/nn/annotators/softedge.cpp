// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/softedge.h"

#include "nn/annotators/parts.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

SoftEdge::Block::Block(const WeightSource &source, const std::string &name, int64_t in) : width(in) {
    const int64_t count = count_numbered(source, name + ".convs.", ".weight");
    for (int64_t i = 0; i < count; i++) {
        const std::string place = "convs." + std::to_string(i);
        const int64_t out = side(source, name + "." + place + ".weight", 0);
        child(place, convs.emplace_back(width, out, 3));
        width = out;
    }
    projection = std::make_unique<Conv2d>(width, 1, 1);
    child("projection", *projection);
}

at::Tensor SoftEdge::Block::forward(const at::Tensor &x) const {
    at::Tensor h = x;
    for (const Conv2d &conv : convs)
        h = at::relu_(h = conv.forward(h));
    return h;
}

SoftEdge::SoftEdge(const WeightSource &source) {
    parameter("norm", norm_, {1, 3, 1, 1});
    for (int i = 1; i <= 5; i++) {
        const std::string name = "block" + std::to_string(i);
        child(name, blocks_.emplace_back(source, name, blocks_.empty() ? 3 : blocks_.back().width));
    }
}

std::vector<at::Tensor> SoftEdge::forward(const at::Tensor &x) const {
    std::vector<at::Tensor> maps;
    at::Tensor h = x - norm_;
    for (const Block &block : blocks_) {
        h = block.forward(maps.empty() ? h : at::max_pool2d(h, {2, 2}, {2, 2}));
        maps.push_back(block.projection->forward(h));
    }
    return maps;
}

at::Tensor SoftEdge::annotate(const at::Tensor &rgb) const {
    at::Tensor sum;
    for (const at::Tensor &map : forward(like_weight(rgb, norm_) * 255)) {
        const at::Tensor whole = at::upsample_bilinear2d(map, {rgb.size(2), rgb.size(3)}, false);
        sum = sum.defined() ? sum + whole : whole;
    }
    return at::sigmoid(sum / static_cast<double>(blocks_.size()));
}

} // namespace aianime::nn
