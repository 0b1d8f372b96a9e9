// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include "include/aianime.h"

namespace aianime::api {

// Runs `body` and turns whatever it throws into a result and one line of text. The only place of the library that catches
// everything. `body` returns AIANIME_OK or another result that is not a failure.
aianime_result guard(const std::function<aianime_result()> &body, std::string &error) noexcept;

} // namespace aianime::api
