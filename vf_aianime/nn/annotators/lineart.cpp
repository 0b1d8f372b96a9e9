// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/lineart.h"

#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

LineartGenerator::Block::Block(int64_t channels)
    : first(channels, channels, 3, 1, true, 0), second(channels, channels, 3, 1, true, 0) {
    child("conv_block.1", first);
    child("conv_block.5", second);
}

at::Tensor LineartGenerator::Block::forward(const at::Tensor &x) const {
    const at::Tensor inner = at::relu(instance_norm(first.forward(reflection_pad(x, 1))));
    return x + instance_norm(second.forward(reflection_pad(inner, 1)));
}

LineartGenerator::LineartGenerator(const WeightSource &source)
    : LineartGenerator(source,
                       {side(source, "model0.1.weight", 0), side(source, "model1.0.weight", 0), side(source, "model1.3.weight", 0),
                        side(source, "model3.0.weight", 1), side(source, "model3.3.weight", 1)}) {}

LineartGenerator::LineartGenerator(const WeightSource &source, const std::array<int64_t, 5> &widths)
    : begin_(3, widths[0], 7, 1, true, 0), half_(widths[0], widths[1], 3, 2), quarter_(widths[1], widths[2], 3, 2),
      half_again_(widths[2], widths[3], 3, 2, 1, 1), whole_again_(widths[3], widths[4], 3, 2, 1, 1),
      end_(widths[4], 1, 7, 1, true, 0) {
    child("model0.1", begin_);
    child("model1.0", half_);
    child("model1.3", quarter_);
    const int64_t blocks = count_numbered(source, "model2.", ".conv_block.1.weight");
    for (int64_t i = 0; i < blocks; i++)
        child("model2." + std::to_string(i), blocks_.emplace_back(widths[2]));
    child("model3.0", half_again_);
    child("model3.3", whole_again_);
    child("model4.1", end_);
}

at::Tensor LineartGenerator::forward(const at::Tensor &x) const {
    at::Tensor h = at::relu(instance_norm(begin_.forward(reflection_pad(x, 3))));
    h = at::relu(instance_norm(half_.forward(h)));
    h = at::relu(instance_norm(quarter_.forward(h)));
    for (const Block &block : blocks_)
        h = block.forward(h);
    h = at::relu(instance_norm(half_again_.forward(h)));
    h = at::relu(instance_norm(whole_again_.forward(h)));
    return at::sigmoid(end_.forward(reflection_pad(h, 3)));
}

at::Tensor LineartGenerator::annotate(const at::Tensor &rgb) const { return 1 - forward(like_weight(rgb, begin_.weight)); }

} // namespace aianime::nn
