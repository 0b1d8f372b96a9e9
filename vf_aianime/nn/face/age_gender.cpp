// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/age_gender.h"

#include "nn/aten.h"

namespace aianime::nn {

FaceFeatures::Reduction::Reduction(int64_t in, int64_t out)
    : separable_conv0(in, out), separable_conv1(out, out), expansion_conv(in, out, 1, 2) {
    child("separable_conv0", separable_conv0);
    child("separable_conv1", separable_conv1);
    child("expansion_conv", expansion_conv);
}

at::Tensor FaceFeatures::Reduction::forward(const at::Tensor &x, bool activate) const {
    const at::Tensor inner = separable_conv0.forward(activate ? at::relu(x) : x);
    return same_max_pool(separable_conv1.forward(at::relu(inner)), 3, 2) + expansion_conv.forward(x);
}

FaceFeatures::Main::Main(int64_t channels)
    : separable_conv0(channels, channels), separable_conv1(channels, channels), separable_conv2(channels, channels) {
    child("separable_conv0", separable_conv0);
    child("separable_conv1", separable_conv1);
    child("separable_conv2", separable_conv2);
}

at::Tensor FaceFeatures::Main::forward(const at::Tensor &x) const {
    const at::Tensor inner = separable_conv1.forward(at::relu(separable_conv0.forward(at::relu(x))));
    return x + separable_conv2.forward(at::relu(inner));
}

FaceFeatures::FaceFeatures()
    : conv_in_(3, 32, 3, 2), reduction0_(32, 64), reduction1_(64, 128), main0_(128), main1_(128), reduction2_(128, 256),
      separable_(256, features) {
    child("entry_flow.conv_in", conv_in_);
    child("entry_flow.reduction_block_0", reduction0_);
    child("entry_flow.reduction_block_1", reduction1_);
    child("middle_flow.main_block_0", main0_);
    child("middle_flow.main_block_1", main1_);
    child("exit_flow.reduction_block", reduction2_);
    child("exit_flow.separable_conv", separable_);
}

at::Tensor FaceFeatures::forward(const at::Tensor &x) const {
    at::Tensor h = at::relu(conv_in_.forward(like_weight(centred_colors(x), conv_in_.weight)));
    h = reduction1_.forward(reduction0_.forward(h, false), true);
    h = reduction2_.forward(main1_.forward(main0_.forward(h)), true);
    return at::relu(separable_.forward(h)).mean({2, 3});
}

AgeGender::AgeGender() : age(FaceFeatures::features, 1), gender(FaceFeatures::features, 2) {
    child("fc.age", age);
    child("fc.gender", gender);
}

} // namespace aianime::nn
