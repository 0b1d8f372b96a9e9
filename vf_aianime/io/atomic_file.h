// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>

namespace aianime::io {

// A file that appears under its name only when it is whole: it is written beside its place as ".NAME.N.part", synced and renamed.
// Whatever happens before leaves what was there under the name as it was. Thread safety: none.
class AtomicFile {
public:
    // Throws Error (NOT_FOUND, FORBIDDEN, IO) where it cannot be made.
    explicit AtomicFile(const std::string &path);
    // Removes what was written when commit() was not reached.
    ~AtomicFile();
    AtomicFile(const AtomicFile &) = delete;
    AtomicFile &operator=(const AtomicFile &) = delete;

    // Throws Error (IO).
    void write(const void *data, size_t bytes);
    // Makes it durable and replaces what was under the name. Once; nothing is written afterwards. Throws Error (FORBIDDEN, IO).
    void commit();

private:
    std::string path_;
    std::string part_;
    int fd_;
};

} // namespace aianime::io
