// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/face_tracks.h"

namespace aianime::tools {

// A face of one picture and the track it belongs to, -1 without one.
struct SeenFace {
    pipeline::Face face;
    int track = -1;
};

// What was seen of a shot.
struct SurveyedShot {
    size_t first_frame = 0, frames = 0;
    double begin = 0, end = 0; // seconds, of the first frame and of the last
    size_t pictures = 0;       // that were looked at
    std::vector<pipeline::FaceTrack> tracks;
};

// Called with every picture that was looked at: CV_8UC3, R G B, at its own size.
using PictureSeen = std::function<void(double time, const cv::Mat &rgb, const std::vector<SeenFace> &faces)>;

// Looks for the faces of a video at so many pictures a second (0: every frame), of each shot apart, and follows them through three
// between two of those. A shot's first frame is always searched. Throws Error (NOT_FOUND, BAD_DATA).
std::vector<SurveyedShot> survey_faces(const std::string &video, const pipeline::FaceFinder &finder, double rate,
                                       std::optional<double> least_score, const PictureSeen &seen);

} // namespace aianime::tools
