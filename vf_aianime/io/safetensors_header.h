// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "io/safetensors.h"

namespace aianime::io {

// The format allows 100 MB; real headers stay below 2 MB.
constexpr uint64_t max_header_bytes = uint64_t{16} << 20;

struct SafetensorsHeader {
    std::map<std::string, TensorInfo> tensors;
    std::map<std::string, std::string> metadata;
};

// Reads and checks the JSON text of a safetensors header. `data_offset` is where the tensors' bytes begin in the file, `data_bytes`
// how many there are; every byte of them belongs to exactly one tensor. Throws Error (BAD_DATA), `name` stands for the file.
SafetensorsHeader parse_safetensors_header(const std::string &text, uint64_t data_offset, uint64_t data_bytes,
                                           const std::string &name);

} // namespace aianime::io
