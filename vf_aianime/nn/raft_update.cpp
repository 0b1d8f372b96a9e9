// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/raft_update.h"

#include "nn/aten.h"

namespace aianime::nn {

RaftMotionEncoder::RaftMotionEncoder(const RaftWidths &widths)
    : correlation_first_(widths.correlation, widths.correlation_first, 1, 1, RaftNorm::none),
      flow_first_(2, widths.flow_first, 7, 1, RaftNorm::none),
      flow_second_(widths.flow_first, widths.flow_second, 3, 1, RaftNorm::none),
      end_((widths.correlation_second ? widths.correlation_second : widths.correlation_first) + widths.flow_second,
           widths.motion - 2, 3, 1, RaftNorm::none) {
    child("convcorr1", correlation_first_);
    if (widths.correlation_second) {
        correlation_second_ = std::make_unique<RaftConv>(widths.correlation_first, widths.correlation_second, 3, 1, RaftNorm::none);
        child("convcorr2", *correlation_second_);
    }
    child("convflow1", flow_first_);
    child("convflow2", flow_second_);
    child("conv", end_);
}

at::Tensor RaftMotionEncoder::forward(const at::Tensor &flow, const at::Tensor &correlation) const {
    at::Tensor seen = correlation_first_.forward_relu(correlation);
    if (correlation_second_)
        seen = correlation_second_->forward_relu(seen);
    const at::Tensor moved = flow_second_.forward_relu(flow_first_.forward_relu(flow));
    return at::cat({end_.forward_relu(at::cat({seen, moved}, 1)), flow}, 1);
}

RaftGru::Gate::Gate(int64_t in, int64_t out, int64_t height, int64_t width) {
    parameter("weight", weight, {out, in, height, width});
    parameter("bias", bias, {out});
}

at::Tensor RaftGru::Gate::forward(const at::Tensor &x) const {
    return at::conv2d(x, weight, bias, {1, 1}, {weight.size(2) / 2, weight.size(3) / 2});
}

RaftGru::RaftGru(int64_t input, int64_t hidden, int64_t height, int64_t width)
    : z_(input + hidden, hidden, height, width), r_(input + hidden, hidden, height, width),
      q_(input + hidden, hidden, height, width) {
    child("convz", z_);
    child("convr", r_);
    child("convq", q_);
}

at::Tensor RaftGru::forward(const at::Tensor &hidden, const at::Tensor &x) const {
    const at::Tensor both = at::cat({hidden, x}, 1);
    const at::Tensor z = at::sigmoid(z_.forward(both)), r = at::sigmoid(r_.forward(both));
    const at::Tensor q = at::tanh(q_.forward(at::cat({r * hidden, x}, 1)));
    return at::lerp(hidden, q, z);
}

RaftUpdate::RaftUpdate(const RaftWidths &widths, bool separable)
    : motion_(widths), head_first_(widths.hidden, widths.head, 3), head_second_(widths.head, 2, 3) {
    child("motion_encoder", motion_);
    const int64_t input = widths.motion + widths.context;
    if (separable) {
        child("recurrent_block.convgru1", units_.emplace_back(input, widths.hidden, 1, 5));
        child("recurrent_block.convgru2", units_.emplace_back(input, widths.hidden, 5, 1));
    } else {
        child("recurrent_block.convgru1", units_.emplace_back(input, widths.hidden, 3, 3));
    }
    child("flow_head.conv1", head_first_);
    child("flow_head.conv2", head_second_);
}

at::Tensor RaftUpdate::forward(const at::Tensor &hidden, const at::Tensor &context, const at::Tensor &correlation,
                               const at::Tensor &flow) const {
    const at::Tensor x = at::cat({context, motion_.forward(flow, correlation)}, 1);
    at::Tensor h = hidden;
    for (const RaftGru &unit : units_)
        h = unit.forward(h, x);
    return h;
}

at::Tensor RaftUpdate::step(const at::Tensor &hidden) const { return head_second_.forward(at::relu(head_first_.forward(hidden))); }

RaftMask::RaftMask(int64_t hidden) : first_(hidden, 256, 3, 1, RaftNorm::none), second_(256, 9 * 64, 1) {
    child("convrelu", first_);
    child("conv", second_);
}

at::Tensor RaftMask::upsample(const at::Tensor &flow, const at::Tensor &hidden) const {
    // The networks were trained with their gradient in this branch made four times smaller.
    const at::Tensor logits = second_.forward(first_.forward_relu(hidden)) * 0.25;
    const int64_t height = flow.size(2), width = flow.size(3);
    const at::Tensor shares = at::softmax(logits.contiguous().view({1, 9, 8, 8, height, width}), 1);
    const at::Tensor around = at::im2col(flow.contiguous() * 8, {3, 3}, {1, 1}, {1, 1}, {1, 1});
    const at::Tensor mixed = (shares * around.view({2, 9, 1, 1, height, width})).sum(1); // [2, 8, 8, h, w]
    return mixed.permute({0, 3, 1, 4, 2}).reshape({1, 2, height * 8, width * 8});
}

} // namespace aianime::nn
