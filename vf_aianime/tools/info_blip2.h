// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tools/report.h"

namespace aianime::tools {

// Whether the folder's config.json is that of a BLIP-2 model, with any language model. Throws Error (BAD_DATA) for a broken one.
bool is_blip2(const std::string &folder);

// Prints what is there and what is missing.
void describe_blip2(const std::string &folder, Verdict &verdict);

} // namespace aianime::tools
