// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "nn/annotators/annotator.h"
#include "nn/annotators/parts.h"
#include "nn/layers.h"

namespace aianime::nn {

// The U-Net generator of netG: every level halves the picture, the last one leaves a single row or column of a picture of stride()
// pixels. annotate() gives white lines on black, as control_v11p_sd15s2_lineart_anime was trained.
class LineartAnimeGenerator : public Annotator {
public:
    explicit LineartAnimeGenerator(const WeightSource &source);
    ~LineartAnimeGenerator() override;
    int64_t stride() const override { return stride_; }
    at::Tensor annotate(const at::Tensor &rgb) const override;
    // The network alone: [batch, 3, h, w] in [-1, 1] -> [batch, 1, h, w] in [-1, 1].
    at::Tensor forward(const at::Tensor &x) const;

private:
    class Level;
    std::unique_ptr<Level> outermost_;
    int64_t stride_ = 1;
};

} // namespace aianime::nn
