// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/pack_networks.h"

namespace aianime::train {

// Writes the networks as a pack in diffusers layout, bfloat16, with pack.json and its hashes: configurations, tokenizer and
// scheduler are those of the folder that the networks got their shapes from, the autoencoder's scaling factor is the trained one.
// What else lies in `folder` (a card, identity/, cfa/) stays and is hashed too. Throws Error (NOT_FOUND, FORBIDDEN, IO).
void write_pack(const PackNetworks &networks, const std::string &shape_folder, const std::string &folder);

} // namespace aianime::train
