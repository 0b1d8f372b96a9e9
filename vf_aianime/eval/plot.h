// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "eval/evaluator.h"

namespace aianime::eval {

// A PNG: every score over time, one below the other, a line for each video; cuts are marked. Scores that no frame has are left out.
// Throws Error as vision::save_png.
void draw_scores(const std::string &path, const std::string &title, const Measured &measured);

} // namespace aianime::eval
