// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/body_pose.h"

#include <algorithm>
#include <array>
#include <map>

#include "io/error.h"
#include "nn/annotators/parts.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

// "" halves the picture.
constexpr std::array<const char *, 15> begin_names = {"conv1_1", "conv1_2", "",        "conv2_1",     "conv2_2",
                                                      "",        "conv3_1", "conv3_2", "conv3_3",     "conv3_4",
                                                      "",        "conv4_1", "conv4_2", "conv4_3_CPM", "conv4_4_CPM"};
constexpr int stages = 6;

// The layers of one branch ("L1": affinity, "L2": heat) of a stage, counted from 1.
std::vector<std::string> branch_names(int stage, const std::string &branch) {
    std::vector<std::string> names;
    for (int layer = 1; layer <= (stage == 1 ? 5 : 7); layer++)
        names.push_back(stage == 1 ? "conv5_" + std::to_string(layer) + "_CPM_" + branch
                                   : "Mconv" + std::to_string(layer) + "_stage" + std::to_string(stage) + "_" + branch);
    return names;
}

template <typename Layers>
at::Tensor run(const Layers &layers, at::Tensor h) {
    for (const Conv2d &layer : layers)
        h = &layer == &layers.back() ? layer.forward(h) : at::relu(layer.forward(h));
    return h;
}

} // namespace

int64_t BodyPose::add(const WeightSource &source, const std::string &name, int64_t in, Branch &branch) {
    const std::string weight = name + ".weight";
    const int64_t out = side(source, weight, 0);
    child(name, branch.emplace_back(in, out, side(source, weight, 2)));
    return out;
}

void BodyPose::add(const WeightSource &source, const std::vector<std::string> &names, int64_t in, int64_t out, Branch &branch) {
    for (const std::string &name : names)
        in = add(source, name, in, branch);
    if (in != out)
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + names.back() + " gives " + std::to_string(in) +
                                          " maps; that of a body has " + std::to_string(out));
}

BodyPose::BodyPose(const WeightSource &source) {
    constexpr int64_t affinity_maps = 38, heat_maps = 19;
    int64_t features = 3;
    for (const std::string name : begin_names)
        if (!name.empty())
            features = add(source, name, features, begin_);
    for (int stage = 1; stage <= stages; stage++) {
        const int64_t in = stage == 1 ? features : affinity_maps + heat_maps + features;
        Stage &parts = stages_.emplace_back();
        add(source, branch_names(stage, "L1"), in, affinity_maps, parts.affinity);
        add(source, branch_names(stage, "L2"), in, heat_maps, parts.heat);
    }
}

BodyPose::Maps BodyPose::forward(const at::Tensor &x) const {
    at::Tensor features = x;
    auto layer = begin_.begin();
    for (const std::string name : begin_names)
        features = name.empty() ? at::max_pool2d(features, {2, 2}, {2, 2}) : at::relu((layer++)->forward(features));
    at::Tensor h = features;
    Maps maps;
    for (const Stage &stage : stages_) {
        maps = {run(stage.affinity, h), run(stage.heat, h)};
        h = at::cat({maps.affinity, maps.heat, features}, 1);
    }
    // The published network rectifies the last stage's heat, and thresholds were chosen on that.
    maps.heat = at::relu(maps.heat);
    return maps;
}

WeightSource body_pose_names(const WeightSource &source) {
    std::map<std::string, WeightView> views;
    for (const std::string &name : source.names()) {
        if (source.shape(name).empty())
            continue;
        const size_t last = name.rfind('.'), before = last == std::string::npos || last == 0 ? last : name.rfind('.', last - 1);
        views[before == std::string::npos ? name : name.substr(before + 1)] = {name, source.shape(name)};
    }
    return source.renamed(views);
}

std::unique_ptr<BodyPose> load_body_pose(const WeightSource &source, at::Device device) {
    expect_annotator("openpose", source);
    const WeightSource plain = body_pose_names(source);
    auto network = std::make_unique<BodyPose>(plain);
    load(*network, plain, at::kFloat, device);
    return network;
}

} // namespace aianime::nn
