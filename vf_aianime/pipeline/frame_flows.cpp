// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/frame_flows.h"

#include <algorithm>
#include <cstdlib>

#include "nn/aten.h"
#include "pipeline/picture_tensor.h"

namespace aianime::pipeline {

namespace {

// Neighbours and anchors of a frame and of the next. What RAFT sees of a frame of 640x360 takes 7 MB.
constexpr size_t most_views = 20;

nn::FlowField to_field(const vision::Motion &motion) {
    const auto [flow, valid] = motion;
    const at::Tensor vectors = at::from_blob(flow.data, {flow.rows, flow.cols, 2}, at::kFloat);
    const at::Tensor trust = at::from_blob(valid.data, {valid.rows, valid.cols}, at::kFloat);
    return {vectors.permute({2, 0, 1}).contiguous(), trust.clone()};
}

} // namespace

FrameFlows::FrameFlows(std::vector<at::Tensor> pictures, int64_t height, int64_t width, OpticalFlow flow, int64_t kept_whole)
    : pictures_(std::move(pictures)), flow_(std::move(flow)), kept_whole_(kept_whole), height_(height), width_(width),
      still_(nn::still(height, width)), none_(still_) {
    none_.valid = at::zeros_like(none_.valid);
    for (const at::Tensor &picture : pictures_)
        names_.push_back(FlowStore::name(picture));
}

const nn::FlowField &FrameFlows::pair(int64_t from, int64_t to, bool afar) {
    const auto found = pairs_.find({from, to, afar});
    if (found != pairs_.end())
        return found->second;
    if (place(from) == place(to))
        return still_;
    measure(from, to, afar);
    return pairs_.at({from, to, afar});
}

OpticalFlow::View FrameFlows::view(int64_t picture) {
    const auto found = std::find_if(views_.begin(), views_.end(), [=](const auto &entry) { return entry.first == picture; });
    if (found != views_.end()) {
        std::rotate(found, found + 1, views_.end()); // needed last
        return views_.back().second;
    }
    if (views_.size() == most_views)
        views_.erase(views_.begin());
    views_.emplace_back(picture, flow_.look(to_picture(pictures_[static_cast<size_t>(picture)])));
    return views_.back().second;
}

OpticalFlow::Seen FrameFlows::seen(int64_t picture) {
    return {names_[static_cast<size_t>(picture)], [this, picture] { return view(picture); }};
}

// An anchor may be one of the frames once more.
int64_t FrameFlows::place(int64_t picture) const {
    return std::find(names_.begin(), names_.end(), names_[static_cast<size_t>(picture)]) - names_.begin();
}

vision::MotionPair FrameFlows::motions(int64_t from, int64_t to, bool afar) {
    const at::Tensor &picture = pictures_[static_cast<size_t>(from)];
    const bool keep = std::abs(place(from) - place(to)) <= kept_whole_;
    if (2 * height_ > picture.size(2) || 2 * width_ > picture.size(3))
        return flow_.between(seen(from), seen(to), keep);
    return afar ? flow_.afar(view(from), view(to)) : flow_.halved(seen(from), seen(to), keep);
}

void FrameFlows::measure(int64_t from, int64_t to, bool afar) {
    const auto measured = [&]() -> FlowStore::Pair {
        const vision::MotionPair pair = motions(from, to, afar);
        return {nn::resize_flow(to_field(pair.there), height_, width_), nn::resize_flow(to_field(pair.back), height_, width_)};
    };
    const FlowStore::Pair pair =
        flow_.store() ? flow_.store()->get({seen(from).name, seen(to).name, height_, width_, afar}, measured) : measured();
    pairs_[{from, to, afar}] = pair.there;
    pairs_[{to, from, afar}] = pair.back;
}

nn::FlowField FrameFlows::stack(const std::vector<int64_t> &frames, const std::vector<int64_t> &others, size_t near) {
    std::vector<at::Tensor> flows, valid;
    const size_t slots = others.size() / frames.size();
    for (size_t i = 0; i < others.size(); i++) {
        const nn::FlowField &field = others[i] < 0 ? none_ : pair(frames[i / slots], others[i], i % slots >= near);
        flows.push_back(field.flow);
        valid.push_back(field.valid);
    }
    const auto count = static_cast<int64_t>(frames.size());
    return {at::stack(flows).unflatten(0, {1, count, -1}), at::stack(valid).unflatten(0, {1, count, -1})};
}

nn::CrossFrames cross_frames(FrameFlows &flows, const std::vector<int64_t> &frames, const std::vector<int64_t> &offsets,
                             const std::vector<int64_t> &anchors) {
    nn::CrossFrames pass;
    pass.frames = static_cast<int64_t>(frames.size());
    std::vector<int64_t> others;
    for (int64_t frame : frames) {
        for (int64_t offset : offsets) {
            const auto found = std::find(frames.begin(), frames.end(), frame + offset);
            pass.neighbours.push_back(found == frames.end() ? -1 : found - frames.begin());
            others.push_back(found == frames.end() ? -1 : *found);
        }
        others.insert(others.end(), anchors.begin(), anchors.end());
    }
    if (!others.empty())
        pass.places = flows.stack(frames, others, offsets.size());
    return pass;
}

} // namespace aianime::pipeline
