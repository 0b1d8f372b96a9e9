// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <vector>

#include "pipeline/generator.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// The stylized pictures of a segment, one per frame: generated, and fused along the source's motion where the settings say so. A
// function of frames, anchors and settings only (unless the generator is sequential): a segment is the same wherever it is made. Of
// the shot's first frame, which is its first anchor, fusion changes nothing. Throws as Generator::run does.
std::vector<cv::Mat> make_segment(Generator &generator, const Settings &settings, const std::vector<SourcePicture> &frames,
                                  const std::vector<SourcePicture> &anchors, Watch &watch);

// The i-th of the frames that two segments share, in the earlier segment's version and the later one's: faded so that the later one
// counts by (i + 1) / (shared + 1). A version that is empty counts for nothing.
cv::Mat cross_faded(const cv::Mat &earlier, const cv::Mat &later, size_t i, size_t shared);

} // namespace aianime::pipeline
