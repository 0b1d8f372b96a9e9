// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_fusion.h"

namespace aianime::pipeline {

ShotFusion::ShotFusion(const Settings &settings, OpticalFlow flow, Watch &watch)
    : flow_(std::move(flow)), watch_(watch), reach_(static_cast<size_t>(settings.fusion)),
      fusion_(reach_, [this](size_t from, size_t to) { return motions(from, to); }) {}

void ShotFusion::add(const cv::Mat &source, const cv::Mat &stylized) {
    if (reach_ > 0 && !stylized.empty())
        looks_.emplace(count_, Look{source, FlowStore::name(source), {}});
    fusion_.add(source, stylized, count_ == 0);
    count_++;
    if (count_ > reach_)
        looks_.erase(looks_.begin(), looks_.lower_bound(count_ - reach_));
}

vision::MotionPair ShotFusion::motions(size_t from, size_t to) {
    watch_.step("fuse");
    return flow_.between(seen(from), seen(to), false);
}

OpticalFlow::Seen ShotFusion::seen(size_t frame) {
    Look &look = looks_.at(frame);
    return {look.name, [this, &look] {
                if (!look.view)
                    look.view = flow_.look(look.source);
                return *look.view;
            }};
}

} // namespace aianime::pipeline
