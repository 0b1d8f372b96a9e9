// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <deque>
#include <memory>

#include "nn/raft_encoder.h"

namespace aianime::nn {

// The parts of RAFT that improve a flow step by step.

struct RaftWidths {
    int64_t correlation;                           // channels that are looked up
    int64_t correlation_first, correlation_second; // second 0: none
    int64_t flow_first, flow_second;
    int64_t motion; // what the motion encoder gives
    int64_t hidden, context, head;
};

class RaftMotionEncoder : public Module {
public:
    explicit RaftMotionEncoder(const RaftWidths &widths);
    at::Tensor forward(const at::Tensor &flow, const at::Tensor &correlation) const;

private:
    RaftConv correlation_first_;
    std::unique_ptr<RaftConv> correlation_second_;
    RaftConv flow_first_, flow_second_, end_;
};

class RaftGru : public Module {
public:
    RaftGru(int64_t input, int64_t hidden, int64_t height, int64_t width);
    at::Tensor forward(const at::Tensor &hidden, const at::Tensor &x) const;

private:
    struct Gate : Module {
        Gate(int64_t in, int64_t out, int64_t height, int64_t width);
        at::Tensor forward(const at::Tensor &x) const;
        at::Tensor weight, bias;
    };

    Gate z_, r_, q_;
};

class RaftUpdate : public Module {
public:
    // separable: two units, one looking to the sides, one up and down, instead of one that sees 3x3.
    RaftUpdate(const RaftWidths &widths, bool separable);
    // The next hidden state.
    at::Tensor forward(const at::Tensor &hidden, const at::Tensor &context, const at::Tensor &correlation,
                       const at::Tensor &flow) const;
    // What to add to the flow.
    at::Tensor step(const at::Tensor &hidden) const;

private:
    RaftMotionEncoder motion_;
    std::deque<RaftGru> units_;
    Conv2d head_first_, head_second_;
};

// Of each pixel, how much it takes of the flow of the 3x3 cells around its cell.
class RaftMask : public Module {
public:
    explicit RaftMask(int64_t hidden);
    // flow: [1, 2, h, w] in cells -> [1, 2, 8 h, 8 w] in pixels
    at::Tensor upsample(const at::Tensor &flow, const at::Tensor &hidden) const;

private:
    RaftConv first_;
    Conv2d second_;
};

} // namespace aianime::nn
