// SPDX-License-Identifier: LGPL-2.1-or-later
// Small things to train on.
#pragma once

#include <string>

#include "train/pairs.h"

// Writes a folder in diffusers layout with configurations only: the networks of a pack, as small as they can be, with the
// repository's tokenizer.
void write_tiny_shape(const std::string &folder);

// A batch of random pictures and prompts.
aianime::train::Batch random_batch(int64_t pictures, int64_t side, uint64_t seed);
