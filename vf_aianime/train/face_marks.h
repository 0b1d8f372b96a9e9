// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "pipeline/faces.h"
#include "train/teacher.h"

namespace aianime::train {

// What the teacher wants to know of faces with points.
std::vector<FaceMark> face_marks(const std::vector<pipeline::Face> &faces);

// The teacher's base of a picture whose faces are looked for first. As cel_base.
CelBase cel_base(const cv::Mat &rgb, const pipeline::FaceFinder &faces);

} // namespace aianime::train
