// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace aianime::io {

// A tensor of the caller: dense, its last side the fastest, little endian.
struct TensorData {
    DType dtype;
    std::vector<int64_t> shape;
    const void *data; // alive until the file is written
};

// Writes a safetensors file, byte for byte as the format's own library does: wide types first so that every tensor is aligned,
// then by name; a header padded to 8 bytes. What SafetensorsFile would refuse is not written: Error (BAD_DATA).
// The file appears under its name only when it is whole, and replaces one that is there. Throws Error (NOT_FOUND, FORBIDDEN, IO).
void write_safetensors(const std::string &path, const std::map<std::string, TensorData> &tensors,
                       const std::map<std::string, std::string> &metadata = {});

} // namespace aianime::io
