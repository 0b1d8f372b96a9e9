// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "train/pairs.h"
#include "vision/face_shape.h"

namespace aianime::train {

// The pairs of a set that show a face large enough to be told from another one, and where it is.
class FacePairs {
public:
    // faces: folder of the face networks. Looks for the faces of all pairs, with progress.
    FacePairs(const PairSet &pairs, const std::string &faces, const Report &report);

    size_t size() const { return places_.size(); }

    // Squares of `side` pixels around faces, each with its face in it: points in pixels, the detector's box in shares of the
    // square. A function of the seed only.
    struct FaceBatch {
        Batch batch;
        std::vector<vision::FacePoints> points;
        std::vector<cv::Rect2f> boxes;
    };
    FaceBatch batch(int64_t pictures, int side, uint64_t seed) const;

private:
    struct Place {
        size_t pair;
        vision::FacePoints points;
        cv::Rect2f box;
    };
    const PairSet &pairs_;
    std::vector<Place> places_;
};

} // namespace aianime::train
