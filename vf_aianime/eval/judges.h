// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "eval/evaluator.h"

namespace aianime::eval {

// What a picture shows: the embedding of a CLIP vision tower, a folder with config.json or a file. Throws Error as its loading
// does.
std::function<std::vector<float>(const cv::Mat &picture)> clip_judge(const std::string &path);

// Faces are looked for in every `every`th frame that is scored, by the networks in `folder`. A face is cut out of each picture
// where the source has it; 1 less the distance of its descriptor from the source's, mean over the frame's faces that are large
// enough. Throws Error as pipeline::FaceFinder.
std::function<std::vector<double>(const std::vector<cv::Mat> &pictures)> face_judge(const std::string &folder, size_t every);

} // namespace aianime::eval
