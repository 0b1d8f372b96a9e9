// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/pack_eval.h"

namespace aianime::tools {

// The measures as a table on stdout.
void print_eval(const train::EvalReport &report);
// The same as JSON text.
std::string eval_json(const train::EvalReport &report, const train::EvalOptions &options, const std::string &folder);

} // namespace aianime::tools
