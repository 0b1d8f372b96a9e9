// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "io/system_error.h"

namespace aianime::io {

namespace {

namespace fs = std::filesystem;

constexpr int most_leftovers = 1000; // of processes that had our number and were killed

std::string part_name(const fs::path &path, int number) {
    const std::string name =
        "." + path.filename().string() + "." + std::to_string(getpid()) + "-" + std::to_string(number) + ".part";
    return (path.parent_path() / name).string();
}

// The name itself lies in the folder: without this, a crash could bring the old file back.
void sync_folder(const std::string &path) {
    const fs::path folder = fs::path(path).parent_path();
    const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd); // not every file system can, and the file is whole either way
    close(fd);
}

} // namespace

AtomicFile::AtomicFile(const std::string &path) : path_(path), fd_(-1) {
    for (int number = 0; fd_ < 0; number++) {
        part_ = part_name(path, number);
        fd_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        const int error = errno;
        if (fd_ < 0 && (error != EEXIST || number == most_leftovers))
            throw system_error(path_, "cannot be written", error);
    }
}

AtomicFile::~AtomicFile() {
    if (fd_ >= 0)
        close(fd_);
    if (!part_.empty())
        unlink(part_.c_str());
}

void AtomicFile::write(const void *data, size_t bytes) {
    const char *from = static_cast<const char *>(data);
    while (bytes > 0) {
        const ssize_t put = ::write(fd_, from, std::min(bytes, size_t{1} << 30));
        if (put < 0 && errno == EINTR)
            continue;
        const int error = errno;
        if (put < 0)
            throw system_error(path_, "cannot be written", error);
        from += put;
        bytes -= static_cast<size_t>(put);
    }
}

void AtomicFile::commit() {
    const bool written = fsync(fd_) == 0;
    int error = errno;
    const bool closed = close(fd_) == 0; // some file systems tell only here that the disk is full
    error = written ? errno : error;
    fd_ = -1;
    if (!written || !closed)
        throw system_error(path_, "cannot be written", error);
    if (rename(part_.c_str(), path_.c_str()) != 0) {
        const int failure = errno;
        throw system_error(path_, "cannot be put in its place", failure);
    }
    part_.clear();
    sync_folder(path_);
}

} // namespace aianime::io
