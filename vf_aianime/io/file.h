// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aianime::io {

// A regular file opened for reading, once: its kind and size are those of the open descriptor, so that what was checked is what is
// read. Folders, pipes, devices and sockets are refused without blocking. Read with pread(), never mapped: a file that is cut short
// meanwhile gives an Error, not SIGBUS.
//
// Thread safety: const member functions may be called from several threads.
class File {
public:
    // Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO).
    explicit File(const std::string &path);
    ~File();
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    const std::string &path() const { return path_; }
    // When it was opened.
    uint64_t size() const { return size_; }

    // Throws Error (IO; BAD_DATA when the file ends before `bytes` of them).
    void read(uint64_t offset, void *out, size_t bytes) const;
    std::string read(uint64_t offset, size_t bytes) const;

private:
    std::string path_;
    int fd_;
    uint64_t size_ = 0;
};

// A whole file of at most `max_bytes`. Throws as File does, and BAD_DATA for a larger one.
std::string read_file(const std::string &path, size_t max_bytes);

// 64 lower-case hexadecimal digits. Throws as File does.
std::string sha256_of_file(const std::string &path);

} // namespace aianime::io
