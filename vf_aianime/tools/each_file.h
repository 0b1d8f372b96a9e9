// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "io/error.h"

namespace aianime::tools {

// Calls `work` with each path. One that fails is reported, the others are still done; returns the first failure's code.
template <typename Work>
aianime_result each_file(const std::vector<std::string> &paths, Work work) {
    aianime_result first_failure = AIANIME_OK;
    for (const std::string &path : paths) {
        try {
            work(path);
        } catch (const Error &error) {
            std::fprintf(stderr, "aianime: %s\n", error.what());
            first_failure = first_failure == AIANIME_OK ? error.code() : first_failure;
        }
    }
    return first_failure;
}

} // namespace aianime::tools
