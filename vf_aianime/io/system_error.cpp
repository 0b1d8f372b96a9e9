// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/system_error.h"

#include <cerrno>
#include <system_error>

#include "io/text.h"

namespace aianime::io {

namespace {

aianime_result result_of(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return AIANIME_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return AIANIME_FORBIDDEN;
    case ENXIO: // a socket
        return AIANIME_BAD_DATA;
    default:
        return AIANIME_IO;
    }
}

} // namespace

Error system_error(const std::string &path, const std::string &what, int error) {
    // strerror() is not thread safe.
    return Error(result_of(error), printable(path) + ": " + what + ": " + std::generic_category().message(error));
}

} // namespace aianime::io
