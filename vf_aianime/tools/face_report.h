// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

#include "tools/face_survey.h"

struct json_object;

namespace aianime::tools {

// "woman, 27, eyes open, mouth closed, happy, beard no"
std::string face_text(const pipeline::Face &face);

void print_faces(const std::vector<pipeline::Face> &faces);
void print_shots(const std::vector<SurveyedShot> &shots);

// Into an object of the report, for a picture and for a video.
void add_faces(json_object *object, const std::vector<pipeline::Face> &faces);
void add_shots(json_object *object, const std::vector<SurveyedShot> &shots);

// A copy of the picture, CV_8UC3, R G B, with boxes, points and what is known of each face.
cv::Mat annotated(const cv::Mat &rgb, const std::vector<SeenFace> &faces);

} // namespace aianime::tools
