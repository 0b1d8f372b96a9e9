// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>

#include "nn/annotators/annotator.h"
#include "nn/layers.h"

namespace aianime::nn {

// ControlNetHED: edges at five scales, averaged. Soft white edges on black, as control_v11p_sd15_softedge was trained.
class SoftEdge : public Annotator {
public:
    explicit SoftEdge(const WeightSource &source);
    int64_t stride() const override { return 16; }
    at::Tensor annotate(const at::Tensor &rgb) const override;
    // The network alone: [batch, 3, h, w] in [0, 255] -> five maps [batch, 1, h / 2^i, w / 2^i] before the sigmoid.
    std::vector<at::Tensor> forward(const at::Tensor &x) const;

private:
    struct Block : Module {
        Block(const WeightSource &source, const std::string &name, int64_t in);
        at::Tensor forward(const at::Tensor &x) const;
        std::deque<Conv2d> convs;
        std::unique_ptr<Conv2d> projection;
        int64_t width;
    };

    at::Tensor norm_;
    std::deque<Block> blocks_;
};

} // namespace aianime::nn
