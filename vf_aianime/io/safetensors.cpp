// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/safetensors.h"

#include "io/error.h"
#include "io/file_kind.h"
#include "io/safetensors_header.h"
#include "io/text.h"

namespace aianime::io {

namespace {

constexpr uint64_t length_bytes = 8;
constexpr uint64_t min_header = 2; // "{}"

uint64_t header_length(const File &file) {
    uint8_t bytes[length_bytes];
    file.read(0, bytes, sizeof(bytes));
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

// The bytes of the header's length can look like the begin of another format ("\x80\x02" is a length of 640 and a pickle), so the
// other formats are considered only where this is no safetensors file.
bool looks_like_safetensors(const File &file, uint64_t length) {
    return length >= min_header && length <= max_header_bytes && file.size() > length_bytes && file.read(length_bytes, 1) == "{";
}

} // namespace

SafetensorsFile::SafetensorsFile(const std::string &path) : file_(path) {
    if (file_.size() < length_bytes)
        refuse_file_kind(file_);
    const uint64_t length = header_length(file_);
    if (!looks_like_safetensors(file_, length))
        refuse_file_kind(file_);
    if (length > file_.size() - length_bytes)
        throw Error(AIANIME_BAD_DATA, printable(path) + ": incomplete file: its header has " + std::to_string(length) +
                                          " bytes, the file only " + std::to_string(file_.size()));
    const uint64_t data = length_bytes + length;
    SafetensorsHeader header = parse_safetensors_header(file_.read(length_bytes, static_cast<size_t>(length)), data,
                                                        file_.size() - data, path + ": header");
    tensors_ = std::move(header.tensors);
    metadata_ = std::move(header.metadata);
}

void SafetensorsFile::read(const std::string &name, void *out) const {
    read(name, 0, static_cast<size_t>(tensors_.at(name).bytes), out);
}

void SafetensorsFile::read(const std::string &name, uint64_t first, size_t bytes, void *out) const {
    const TensorInfo &info = tensors_.at(name);
    if (first > info.bytes || bytes > info.bytes - first)
        throw Error(AIANIME_INTERNAL, "safetensors: a read past the end of " + quoted(name));
    file_.read(info.begin + first, out, bytes);
}

} // namespace aianime::io
