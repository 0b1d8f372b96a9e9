// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "io/error.h"

namespace aianime::io {

// The Error for a system call on a file that failed with `error` (errno): "PATH: what: No such file or directory".
Error system_error(const std::string &path, const std::string &what, int error);

} // namespace aianime::io
