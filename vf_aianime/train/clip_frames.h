// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

#include "train/report.h"

namespace aianime::train {

// A run of frames between two cuts.
struct Clip {
    std::string name;            // the file's path and the run's number
    std::vector<cv::Mat> frames; // CV_8UC3, R G B, one size, square pixels
};

// The clips below a folder, in the order of their paths, reduced to `rate` frames a second and to `short_side`, cut at cuts. A run
// has at least two frames. No folder, or "", gives none; files that are no clips are left out, those that cannot be read are told.
// Needs the ffmpeg beside the command or in PATH: throws Error (NOT_FOUND) where there is none and a clip to read.
std::vector<Clip> read_clips(const std::string &folder, double rate, int short_side, const Report &report);

} // namespace aianime::train
