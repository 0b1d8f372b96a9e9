// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "io/safetensors.h"

namespace aianime::tools {

// What a weight file is for, told by the names and shapes of its tensors alone.
struct WeightKind {
    std::string kind;    // "LoHa", "motion module v2"
    std::string dialect; // "kohya, original block names"; "" where there is only one
    std::string fits;    // what it goes with; begins with "not read" where nothing here reads it
};

// "unknown" for a file that is none of those.
WeightKind weight_kind(const io::SafetensorsFile &file);

} // namespace aianime::tools
