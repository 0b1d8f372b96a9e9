// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "train/report.h"

namespace aianime::pipeline {
class FaceFinder;
}

namespace aianime::train {

// The faces of one class, each [3, side, side] of bytes.
struct FaceClass {
    std::string name;
    std::vector<at::Tensor> faces;
};

// One class for each folder below `folder` that is not hidden, in the order of their names. finder: cuts out the largest face of
// each picture; null: pictures are faces already. Says which pictures are left out and why. Throws Error (NOT_FOUND, BAD_DATA).
std::vector<FaceClass> read_face_classes(const std::string &folder, const pipeline::FaceFinder *finder, int64_t side,
                                         const Report &report);

} // namespace aianime::train
