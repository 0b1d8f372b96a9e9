// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>

#include "nn/annotators/annotator.h"
#include "nn/annotators/hybrid_transformer.h"

namespace aianime::nn {

// MiDaS's DPT-Hybrid (dpt_hybrid-midas-501f0c75), named as dpt_names() does: relative inverse depth, near is large. annotate()
// stretches a frame's own range to [0, 1], as control_v11f1p_sd15_depth was trained.
class DepthHybrid : public Annotator {
public:
    explicit DepthHybrid(const WeightSource &source, const HybridTraits &traits = {});
    int64_t stride() const override { return 32; }
    bool ignores(const std::string &name) const override;
    at::Tensor annotate(const at::Tensor &rgb) const override;
    // The network alone: [batch, 3, h, w] in [-1, 1] -> [batch, 1, h, w], not below 0.
    at::Tensor forward(const at::Tensor &x) const;

private:
    struct Residual : Module {
        explicit Residual(int64_t channels);
        at::Tensor forward(const at::Tensor &x) const;
        Conv2d conv1, conv2;
    };
    // Joins a finer level to the coarser ones and doubles the size. The coarsest has nothing to join.
    struct Fusion : Module {
        Fusion(int64_t channels, bool joins);
        at::Tensor forward(const at::Tensor &coarser, const at::Tensor &finer) const;
        std::unique_ptr<Residual> join;
        Residual refine;
        Conv2d out_conv;
    };

    at::Tensor to_features(const Linear &readout, const at::Tensor &tokens, int64_t rows, int64_t columns) const;

    HybridTransformer model_;
    Linear readout3_, readout4_;
    Conv2d expand3_, expand4_, halve4_;
    std::array<std::unique_ptr<Conv2d>, 4> levels_;
    std::array<std::unique_ptr<Fusion>, 4> fusions_;
    Conv2d head_, head_narrow_, head_depth_;
};

} // namespace aianime::nn
