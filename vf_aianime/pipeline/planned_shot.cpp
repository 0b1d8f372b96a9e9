// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/planned_shot.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace aianime::pipeline {

PlannedShot::PlannedShot(const ShotFacts &planned, const Watch &watch)
    : watch_(watch), key_pts_(planned.key_pts), score_(planned.key_score) {
    *facts_ = planned;
    facts_->frames = 0;
}

void PlannedShot::see(const ReadFrame &frame) {
    if (!settled() && (facts_->frames == 0 || frame.pts == key_pts_)) {
        choose(frame, score_);
        found_ = frame.pts == key_pts_;
    }
    for (const PersonFacts &person : facts_->people)
        for (const Sighting &sighting : person.sightings) {
            if (std::abs(frame.time - sighting.time) > 1e-3)
                continue;
            const auto width = static_cast<float>(frame.picture.cols), height = static_cast<float>(frame.picture.rows);
            const cv::Rect2f box(sighting.box.x * width, sighting.box.y * height, sighting.box.width * width,
                                 sighting.box.height * height);
            offer_face(person.track, sighting.box.height, frame.picture, box);
        }
}

void PlannedShot::gather() {
    if (!found_ && !warned_)
        watch_.log(AIANIME_LOG_WARNING, "plan: shot " + std::to_string(facts_->number) +
                                            ": no generated frame of its first segment has key_frame.pts " +
                                            std::to_string(key_pts_) + "; its first frame stands for it");
    warned_ = true;
}

} // namespace aianime::pipeline
