// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace aianime::nn {

using Vocabulary = std::unordered_map<std::string, int32_t>;

// vocab.json: one flat object of texts and token numbers, each text once, numbers from 0 to 2^24. Read by a scanner of its own
// because it holds 50,000 entries (io::Json takes fifteen times as long). Throws Error (NOT_FOUND, BAD_DATA with the byte's
// offset, IO).
Vocabulary load_vocabulary(const std::string &path);

} // namespace aianime::nn
