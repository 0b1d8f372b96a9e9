// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <map>
#include <optional>
#include <vector>

#include "pipeline/face_tracks.h"
#include "pipeline/faces.h"
#include "pipeline/shot_view.h"

namespace aianime::pipeline {

// Looks at the frames of one shot and gathers who is to be seen. Memory grows with the sightings, some 30 bytes each.
class ShotReader final : public ShotView {
public:
    // finder: null: nobody is looked for; it must outlive this. rate: pictures a second that are looked at.
    ShotReader(const FaceFinder *finder, double rate) : finder_(finder), rate_(rate) {}

    // Tracks of the same person become one, those of hardly any sighting go.
    void finish() override;

private:
    void see(const ReadFrame &frame) override;
    void gather() override;
    double look_for_faces(const ReadFrame &frame);
    void remember(const ReadFrame &frame, const std::vector<Face> &faces, const std::vector<int> &numbers);

    const FaceFinder *finder_;
    const double rate_;
    std::optional<double> looked_; // when last
    double best_ = -1;             // score of the key frame so far
    cv::Mat before_;               // while the key frame is not settled
    FaceTracks tracks_;
    std::map<int, std::vector<Sighting>> sightings_; // by number of the track
};

} // namespace aianime::pipeline
