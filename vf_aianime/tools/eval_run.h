// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "eval/report.h"
#include "tools/flags.h"

namespace aianime::tools {

// Reads the two videos that `aianime eval` was given, makes or reads the baselines, and scores them. Throws Error.
eval::Evaluation evaluate_videos(const Flags &flags);

} // namespace aianime::tools
