// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "pipeline/faces.h"
#include "train/pairs.h"
#include "train/picture_folder.h"

namespace aianime::train {

// Where pairs come from: pictures of a folder, frames of clips and procedural scenes, each taken in turn at another size and
// exposure, and shown to the teacher.
class PairSources {
public:
    PairSources(const PairOptions &options, const Report &report);
    // What the pairs depend on.
    uint64_t fingerprint() const { return fingerprint_; }
    Pair make(int64_t i) const;

private:
    cv::Mat photograph(int64_t i, Draw &draw) const; // CV_8UC3, R G B

    PairOptions options_;
    std::unique_ptr<PictureFolder> pictures_;
    std::vector<cv::Mat> stills_; // frames of the clips
    pipeline::FaceFinder faces_;
    uint64_t fingerprint_;
};

} // namespace aianime::train
