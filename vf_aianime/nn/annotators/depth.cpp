// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/depth.h"

#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

// What was trained beside the parts in use and lies in the file.
constexpr std::array<const char *, 3> unused = {"pretrained.model.norm.", "pretrained.model.head.",
                                                "scratch.refinenet4.resConfUnit1."};

int64_t width_of(const WeightSource &source, const std::string &layer) { return side(source, layer + ".weight", 0); }

} // namespace

DepthHybrid::Residual::Residual(int64_t channels) : conv1(channels, channels, 3), conv2(channels, channels, 3) {
    child("conv1", conv1);
    child("conv2", conv2);
}

at::Tensor DepthHybrid::Residual::forward(const at::Tensor &x) const {
    return x + conv2.forward(at::relu(conv1.forward(at::relu(x))));
}

DepthHybrid::Fusion::Fusion(int64_t channels, bool joins) : refine(channels), out_conv(channels, channels, 1) {
    if (joins) {
        join = std::make_unique<Residual>(channels);
        child("resConfUnit1", *join);
    }
    child("resConfUnit2", refine);
    child("out_conv", out_conv);
}

at::Tensor DepthHybrid::Fusion::forward(const at::Tensor &coarser, const at::Tensor &finer) const {
    const at::Tensor sum = coarser.defined() ? coarser + join->forward(finer) : finer;
    const at::Tensor refined = refine.forward(sum);
    return out_conv.forward(at::upsample_bilinear2d(refined, {2 * sum.size(2), 2 * sum.size(3)}, true));
}

DepthHybrid::DepthHybrid(const WeightSource &source, const HybridTraits &traits)
    : model_(source, "pretrained.model.", traits), readout3_(2 * model_.width(), model_.width()),
      readout4_(2 * model_.width(), model_.width()), expand3_(model_.width(), width_of(source, "pretrained.act_postprocess3.3"), 1),
      expand4_(model_.width(), width_of(source, "pretrained.act_postprocess4.3"), 1),
      halve4_(width_of(source, "pretrained.act_postprocess4.3"), width_of(source, "pretrained.act_postprocess4.4"), 3, 2),
      head_(width_of(source, "scratch.layer1_rn"), width_of(source, "scratch.output_conv.0"), 3),
      head_narrow_(width_of(source, "scratch.output_conv.0"), width_of(source, "scratch.output_conv.2"), 3),
      head_depth_(width_of(source, "scratch.output_conv.2"), 1, 1) {
    child("pretrained.model", model_);
    child("pretrained.act_postprocess3.0.project.0", readout3_);
    child("pretrained.act_postprocess3.3", expand3_);
    child("pretrained.act_postprocess4.0.project.0", readout4_);
    child("pretrained.act_postprocess4.3", expand4_);
    child("pretrained.act_postprocess4.4", halve4_);
    const std::array<int64_t, 4> widths = {model_.feature_widths()[0], model_.feature_widths()[1],
                                           width_of(source, "pretrained.act_postprocess3.3"),
                                           width_of(source, "pretrained.act_postprocess4.4")};
    const int64_t channels = width_of(source, "scratch.layer1_rn");
    for (size_t i = 0; i < levels_.size(); i++) {
        const std::string number = std::to_string(i + 1), level = "scratch.layer" + number + "_rn";
        levels_[i] = std::make_unique<Conv2d>(widths[i], channels, 3, 1, false);
        fusions_[i] = std::make_unique<Fusion>(channels, i + 1 < levels_.size());
        child(level, *levels_[i]);
        child("scratch.refinenet" + number, *fusions_[i]);
    }
    child("scratch.output_conv.0", head_);
    child("scratch.output_conv.2", head_narrow_);
    child("scratch.output_conv.4", head_depth_);
}

bool DepthHybrid::ignores(const std::string &name) const {
    return std::any_of(unused.begin(), unused.end(), [&](const char *prefix) { return name.rfind(prefix, 0) == 0; });
}

// Every token together with the class's.
at::Tensor DepthHybrid::to_features(const Linear &readout, const at::Tensor &tokens, int64_t rows, int64_t columns) const {
    const at::Tensor places = tokens.slice(1, 1), whole = tokens.slice(1, 0, 1).expand_as(places);
    return to_picture(at::gelu(readout.forward(at::cat({places, whole}, 2))), rows, columns);
}

at::Tensor DepthHybrid::forward(const at::Tensor &x) const {
    const HybridTransformer::Features features = model_.forward(x);
    const int64_t rows = x.size(2) / 16, columns = x.size(3) / 16;
    const std::array<at::Tensor, 4> levels = {
        features.quarter, features.eighth, expand3_.forward(to_features(readout3_, features.middle, rows, columns)),
        halve4_.forward(expand4_.forward(to_features(readout4_, features.last, rows, columns)))};
    at::Tensor path;
    for (size_t i = levels.size(); i-- > 0;)
        path = fusions_[i]->forward(path, levels_[i]->forward(levels[i]));
    path = head_.forward(path);
    path = at::upsample_bilinear2d(path, {2 * path.size(2), 2 * path.size(3)}, true);
    return at::relu(head_depth_.forward(at::relu(head_narrow_.forward(path))));
}

at::Tensor DepthHybrid::annotate(const at::Tensor &rgb) const {
    const at::Tensor depth = forward(like_weight(rgb, head_.weight) * 2 - 1);
    const at::Tensor above = depth - depth.min();
    return above / above.max().clamp_min(1e-6);
}

} // namespace aianime::nn
