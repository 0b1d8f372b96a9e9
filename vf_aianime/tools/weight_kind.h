// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "io/safetensors.h"

namespace aianime::tools {

// What a weight file is for, told by the names of its tensors.
struct WeightKind {
    const char *text; // "U-Net, diffusers names"
    const char *use;  // what this version does with it
};
WeightKind weight_kind(const io::SafetensorsFile &file);

} // namespace aianime::tools
