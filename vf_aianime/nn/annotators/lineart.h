// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <deque>

#include "nn/annotators/annotator.h"
#include "nn/annotators/parts.h"
#include "nn/layers.h"

namespace aianime::nn {

// The residual generator of sk_model (fine lines) and sk_model2 (coarse ones): drawings from pictures. The network draws black on
// white; annotate() gives white on black, as control_v11p_sd15_lineart was trained.
class LineartGenerator : public Annotator {
public:
    explicit LineartGenerator(const WeightSource &source);
    int64_t stride() const override { return 4; }
    at::Tensor annotate(const at::Tensor &rgb) const override;
    // The network alone: [batch, 3, h, w] -> [batch, 1, h, w].
    at::Tensor forward(const at::Tensor &x) const;

private:
    LineartGenerator(const WeightSource &source, const std::array<int64_t, 5> &widths);

    struct Block : Module {
        explicit Block(int64_t channels);
        at::Tensor forward(const at::Tensor &x) const;
        Conv2d first, second;
    };

    Conv2d begin_, half_, quarter_;
    std::deque<Block> blocks_;
    ConvTranspose2d half_again_, whole_again_;
    Conv2d end_;
};

} // namespace aianime::nn
