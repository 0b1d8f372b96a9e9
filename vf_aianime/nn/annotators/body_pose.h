// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <vector>

#include "nn/annotators/annotator.h"
#include "nn/layers.h"

namespace aianime::nn {

// The network of body_pose_model: where joints are and which way limbs run, refined over six stages. vision/pose.h makes people of
// its maps.
class BodyPose : public Module {
public:
    explicit BodyPose(const WeightSource &source);

    struct Maps {
        at::Tensor affinity; // [batch, 38, h / 8, w / 8]: x and y of 19 kinds of limbs
        at::Tensor heat;     // [batch, 19, h / 8, w / 8]: 18 joints and the background
    };
    // x: [batch, 3, h, w] in the order B, G, R, in [-0.5, 0.5], sides multiples of 8.
    Maps forward(const at::Tensor &x) const;
    const at::Tensor &weight() const { return begin_.front().weight; }

private:
    using Branch = std::deque<Conv2d>;
    struct Stage {
        Branch affinity, heat;
    };
    int64_t add(const WeightSource &source, const std::string &name, int64_t in, Branch &branch);
    void add(const WeightSource &source, const std::vector<std::string> &names, int64_t in, int64_t out, Branch &branch);

    Branch begin_;
    std::deque<Stage> stages_;
};

// Names as in body_pose_model, whatever part of the network they are filed under ("model0.conv1_1.weight").
WeightSource body_pose_names(const WeightSource &source);
std::unique_ptr<BodyPose> load_body_pose(const WeightSource &source, at::Device device);

} // namespace aianime::nn
