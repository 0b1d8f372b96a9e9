// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/error.h"
#include "io/safetensors.h"
#include "io/safetensors_header.h"

// What is done with every fuzzed input. Ends the program where a promise of the reader is broken; the sanitizers see the rest.
namespace fuzz {

inline void require(bool promise) {
    if (!promise)
        std::abort();
}

// Reads every tensor; each lies inside the file and belongs to it alone.
inline void read_all(const aianime::io::SafetensorsFile &file, uint64_t size) {
    uint64_t total = 0;
    for (const auto &[name, info] : file.tensors()) {
        require(info.begin <= size && info.bytes <= size - info.begin && info.bytes > 0);
        total += info.bytes;
        std::string out(info.bytes, '\0');
        file.read(name, out.data());
    }
    require(total <= size);
}

// The bytes as a file. It has no name, so that nothing is left behind.
inline void safetensors_file(const uint8_t *data, size_t size) {
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == static_cast<ssize_t>(size));
    try {
        read_all(aianime::io::SafetensorsFile("/proc/self/fd/" + std::to_string(fd)), size);
    } catch (const aianime::Error &error) {
        require(error.code() == AIANIME_BAD_DATA || error.code() == AIANIME_FORBIDDEN);
        require(std::string(error.what()).find('\n') == std::string::npos);
    }
    close(fd);
}

// The bytes as a header's text, so that a mutation need not hit the right length first.
inline void safetensors_header(const uint8_t *data, size_t size) {
    const std::string text(reinterpret_cast<const char *>(data), size);
    try {
        aianime::io::parse_safetensors_header(text, 0, 24, "fuzz");
    } catch (const aianime::Error &error) {
        require(error.code() == AIANIME_BAD_DATA);
    }
}

inline void safetensors(const uint8_t *data, size_t size) {
    safetensors_file(data, size);
    safetensors_header(data, size);
    if (size > 8)
        safetensors_header(data + 8, size - 8);
}

} // namespace fuzz
