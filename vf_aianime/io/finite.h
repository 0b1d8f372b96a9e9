// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "io/safetensors.h"

namespace aianime::io {

// Whether a tensor of F32, F16 or BF16 holds an infinity or a NaN; other types have none. Reads it piece by piece. Throws as
// SafetensorsFile::read.
bool has_not_finite(const SafetensorsFile &file, const std::string &name);

} // namespace aianime::io
