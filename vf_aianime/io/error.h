// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <stdexcept>
#include <string>

#include "include/aianime.h"

namespace aianime {

// Every failure the library raises itself. The text is one line for the user: it names the file, the field or the option, says what
// is wrong with it and, where there is one, the way out. Caught in api/ only.
class Error : public std::runtime_error {
public:
    Error(aianime_result code, const std::string &text) : std::runtime_error(text), code_(code) {}
    aianime_result code() const noexcept { return code_; }

private:
    aianime_result code_;
};

} // namespace aianime
