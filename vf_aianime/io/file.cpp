// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/error.h"
#include "io/sha256.h"
#include "io/system_error.h"
#include "io/text.h"

namespace aianime::io {

namespace {

const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    return "a device or socket";
}

} // namespace

File::File(const std::string &path) : path_(path) {
    if (path.find('\0') != std::string::npos)
        throw Error(AIANIME_FORBIDDEN, printable(path) + ": a file name cannot hold a NUL byte");
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd_ < 0) {
        const int error = errno;
        throw system_error(path, "cannot be opened", error);
    }
    struct stat status = {};
    if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
        const char *kind = kind_of(status.st_mode);
        close(fd_);
        throw Error(AIANIME_BAD_DATA, printable(path) + ": " + kind + ", not a regular file");
    }
    size_ = static_cast<uint64_t>(status.st_size);
}

File::~File() { close(fd_); }

void File::read(uint64_t offset, void *out, size_t bytes) const {
    char *to = static_cast<char *>(out);
    while (bytes > 0) {
        const ssize_t got = pread(fd_, to, std::min(bytes, size_t{1} << 30), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            const int error = errno;
            throw system_error(path_, "cannot be read", error);
        }
        if (got == 0)
            throw Error(AIANIME_BAD_DATA, printable(path_) + ": incomplete file, it ends at byte " + std::to_string(offset));
        to += got;
        offset += static_cast<uint64_t>(got);
        bytes -= static_cast<size_t>(got);
    }
}

std::string File::read(uint64_t offset, size_t bytes) const {
    std::string result(bytes, '\0');
    read(offset, result.data(), bytes);
    return result;
}

std::string read_file(const std::string &path, size_t max_bytes) {
    const File file(path);
    if (file.size() > max_bytes)
        throw Error(AIANIME_BAD_DATA, printable(path) + ": " + std::to_string(file.size()) + " bytes, too large; at most " +
                                          std::to_string(max_bytes) + " are read");
    return file.read(0, static_cast<size_t>(file.size()));
}

std::string sha256_of_file(const std::string &path) {
    const File file(path);
    Sha256 sum;
    std::string block(size_t{1} << 18, '\0');
    for (uint64_t at = 0; at < file.size();) {
        const size_t bytes = static_cast<size_t>(std::min<uint64_t>(block.size(), file.size() - at));
        file.read(at, block.data(), bytes);
        sum.update(block.data(), bytes);
        at += bytes;
    }
    return sum.hex();
}

} // namespace aianime::io
