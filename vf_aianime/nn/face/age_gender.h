// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nn/face/parts.h"

namespace aianime::nn {

// A small Xception (arXiv 1610.02357) that sees a face once, for any number of heads.
class FaceFeatures : public Module {
public:
    static constexpr int64_t side = 112, features = 512;

    FaceFeatures();
    // x: [n, 3, side, side] in [0, 1] -> [n, features]
    at::Tensor forward(const at::Tensor &x) const;

private:
    struct Reduction : Module {
        Reduction(int64_t in, int64_t out);
        at::Tensor forward(const at::Tensor &x, bool activate) const;
        SeparableConv separable_conv0, separable_conv1;
        FaceConv expansion_conv;
    };
    struct Main : Module {
        explicit Main(int64_t channels);
        at::Tensor forward(const at::Tensor &x) const;
        SeparableConv separable_conv0, separable_conv1, separable_conv2;
    };

    FaceConv conv_in_;
    Reduction reduction0_, reduction1_;
    Main main0_, main1_;
    Reduction reduction2_;
    SeparableConv separable_;
};

// The shared features and a head each for age and gender.
class AgeGender : public FaceFeatures {
public:
    AgeGender();

    Linear age;    // [n, features] -> years
    Linear gender; // [n, features] -> logits: male, female
};

} // namespace aianime::nn
