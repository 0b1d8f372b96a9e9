// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "train/parameters.h"

namespace aianime::train {

// Tensors, wherever they are, as float32 safetensors, replaced atomically. Throws Error (NOT_FOUND, FORBIDDEN, IO).
void write_tensors(const std::string &path, const Parameters &tensors, const std::map<std::string, std::string> &metadata);
// The same in bfloat16.
void write_bfloat16(const std::string &path, const Parameters &tensors, const std::map<std::string, std::string> &metadata);

struct StateFile {
    Parameters tensors; // float32 on the CPU
    std::map<std::string, std::string> metadata;
};
// Throws Error (NOT_FOUND, IO, BAD_DATA).
StateFile read_tensors(const std::string &path);

} // namespace aianime::train
