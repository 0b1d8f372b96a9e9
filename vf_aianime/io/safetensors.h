// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/file.h"

namespace aianime::io {

enum class DType { f32, f16, bf16, i64, i32, u8, boolean };

// Bytes of one element.
int64_t dtype_size(DType dtype);
// "F32", "BF16", ... as the file format spells it.
const char *dtype_name(DType dtype);

struct TensorInfo {
    DType dtype;
    std::vector<int64_t> shape;
    uint64_t begin; // offset in the file
    uint64_t bytes;
};

// A safetensors file, opened once and checked whole before the first tensor is read: header bounds, UTF-8, duplicate names, dtypes,
// shapes against byte ranges in checked 64-bit arithmetic, ranges contiguous and complete. What is not safetensors is refused by
// its bytes, never by its name; pickle, zip and TorchScript with FORBIDDEN and the command that converts them.
//
// Read with pread() from one descriptor, never mapped: a file cut short meanwhile gives an Error, not SIGBUS.
// Thread safety: const member functions may be called from several threads.
class SafetensorsFile {
public:
    // Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO).
    explicit SafetensorsFile(const std::string &path);

    const std::string &path() const { return file_.path(); }
    // Of the whole file.
    uint64_t bytes() const { return file_.size(); }
    const std::map<std::string, TensorInfo> &tensors() const { return tensors_; }
    const std::map<std::string, std::string> &metadata() const { return metadata_; }

    // Copies a tensor's bytes (tensors().at(name).bytes of them) to `out`. Throws Error (IO, BAD_DATA) and std::out_of_range.
    void read(const std::string &name, void *out) const;

    // The same for some of them, counted from the tensor's first.
    void read(const std::string &name, uint64_t first, size_t bytes, void *out) const;

private:
    File file_;
    std::map<std::string, TensorInfo> tensors_;
    std::map<std::string, std::string> metadata_;
};

} // namespace aianime::io
