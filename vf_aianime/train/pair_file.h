// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/pairs.h"

namespace aianime::train {

// A pair as one PNG: source, flat picture, marks and lines one below the other. Written atomically. Throws Error (IO, BAD_DATA).
void write_pair(const std::string &path, const Pair &pair);
Pair read_pair(const std::string &path);

} // namespace aianime::train
