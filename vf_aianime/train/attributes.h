// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "train/loop.h"
#include "train/report.h"

namespace aianime::train {

// A head for the face-attribute network ("beard or not") from pictures sorted into a folder a class.
struct AttributeOptions {
    std::string folder; // one folder below it a class
    std::string output; // see nn/face/attribute_head.h
    std::string name;   // of the attribute
    std::string faces;  // folder of the face networks
    std::string work;   // state and loss curve
    bool own_trunk = false;
    bool crops = false; // pictures are faces already, cut like vision::points_box()
    int64_t steps = 400;
    int64_t batch = 32;
    double learning_rate = 0; // 0: 3e-3 for a head alone, 3e-4 with a trunk
    double checked = 0.2;     // part of each class that is kept for checking, at least one picture
    uint64_t seed = 1;
    bool bf16 = false;
    c10::Device device = c10::kCPU;
};

struct AttributeResult {
    LoopEnd end;
    std::vector<std::string> classes;
    int64_t trained_on = 0, checked_on = 0;
    std::vector<std::vector<int64_t>> confusion; // of the checked pictures: [is][said]
    double accuracy() const;                     // their part that was told right
};

// Finds the largest face of every picture, trains on a part of them, says what the head makes of the others and writes it; nothing
// is written when it was stopped, the same call goes on. Throws Error (NOT_FOUND, BAD_DATA: fewer than two classes, fewer than two
// faces of a class; INVALID: the work folder belongs to other pictures or options; as run_loop).
AttributeResult train_attributes(const AttributeOptions &options, const Report &report);

} // namespace aianime::train
