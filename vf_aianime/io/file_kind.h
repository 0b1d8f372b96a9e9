// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "io/file.h"

namespace aianime::io {

// Throws the Error for a file that is no safetensors file: what it seems to be, told by its bytes alone, and the way out. FORBIDDEN
// for formats that can hold code (pickle, zip, TorchScript), BAD_DATA for the rest. Nothing is unpacked.
[[noreturn]] void refuse_file_kind(const File &file);

// What to say after "is a pickle": that it is never opened, and the command that makes a safetensors file of it, with the
// converter's path where it is found (installed beside the library, or in the source tree).
std::string convert_hint(const std::string &path);

} // namespace aianime::io
