// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/raft.h"

#include <vector>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/raft_correlation.h"
#include "nn/weights.h"

namespace aianime::nn {

struct Raft::Shape {
    int64_t radius;
    std::vector<int64_t> features, context;
    RaftNorm context_norm;
    bool small;
    RaftWidths update;

    static Shape of(Size size) {
        constexpr int64_t levels = RaftCorrelation::levels;
        if (size == Size::large)
            return {4,
                    {64, 64, 96, 128, 256},
                    {64, 64, 96, 128, 256},
                    RaftNorm::batch,
                    false,
                    {levels * 81, 256, 192, 128, 64, 128, 128, 128, 256}};
        return {
            3, {32, 32, 64, 96, 128}, {32, 32, 64, 96, 160}, RaftNorm::none, true, {levels * 49, 96, 0, 64, 32, 82, 96, 64, 128}};
    }
};

Raft::Raft(Size size) : Raft(Shape::of(size)) {}

Raft::Raft(const Shape &shape)
    : radius_(shape.radius), hidden_(shape.update.hidden), features_(shape.features, RaftNorm::instance, shape.small),
      context_(shape.context, shape.context_norm, shape.small), update_(shape.update, !shape.small) {
    child("feature_encoder", features_);
    child("context_encoder", context_);
    child("update_block", update_);
    if (shape.small)
        return;
    mask_ = std::make_unique<RaftMask>(hidden_);
    child("mask_predictor", *mask_);
}

Raft::View Raft::look(const at::Tensor &picture) const {
    const at::Tensor x = (picture * 2 - 1).contiguous(at::MemoryFormat::ChannelsLast);
    return {features_.forward(x), context_.forward(x)};
}

at::Tensor Raft::flow(const View &from, const View &to, int updates) const {
    const int64_t height = from.features.size(2), width = from.features.size(3);
    const RaftCorrelation correlation(from.features, to.features);
    at::Tensor hidden = at::tanh(from.context.slice(1, 0, hidden_));
    const at::Tensor context = at::relu(from.context.slice(1, hidden_));
    const at::TensorOptions options = from.features.options();
    const at::Tensor x = at::arange(width, options).expand({height, width});
    const at::Tensor y = at::arange(height, options).view({height, 1}).expand({height, width});
    const at::Tensor start = at::stack({x, y}).unsqueeze(0);
    at::Tensor flow = at::zeros_like(start);
    for (int i = 0; i < updates; i++) {
        hidden = update_.forward(hidden, context, correlation.around(start + flow, radius_), flow);
        flow = flow + update_.step(hidden);
    }
    return mask_ ? mask_->upsample(flow, hidden) : at::upsample_bilinear2d(flow, {height * stride, width * stride}, true) * 8;
}

Raft::Size raft_size(const WeightSource &named) {
    return named.has("mask_predictor.conv.weight") ? Raft::Size::large : Raft::Size::small;
}

bool raft_ignores(const std::string &name) {
    static const std::string counter = ".num_batches_tracked";
    return name.size() > counter.size() && name.compare(name.size() - counter.size(), counter.size(), counter) == 0;
}

std::unique_ptr<Raft> load_raft(const WeightSource &source, at::Device device) {
    const WeightSource named = raft_names(source);
    auto network = std::make_unique<Raft>(raft_size(named));
    const std::vector<std::string> damaged = load(*network, named, at::kFloat, device, raft_ignores);
    if (!damaged.empty())
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + damaged.front() + " holds values that are not finite");
    return network;
}

} // namespace aianime::nn
