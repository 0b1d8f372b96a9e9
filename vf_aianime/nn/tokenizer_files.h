// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace aianime::nn {

using Vocabulary = std::unordered_map<std::string, int32_t>;

// A byte-pair tokenizer as transformers stores it.
struct TokenizerFiles {
    Vocabulary vocabulary;
    std::vector<std::pair<std::string, std::string>> merges; // the earlier, the more eager
    std::string merges_file;                                 // for messages
};

// Reads tokenizer.json where there is no vocab.json, else vocab.json (one flat object of texts and token numbers, each text once,
// from 0 to 2^24) and merges.txt (a "#version" line and two symbols a line). Throws Error (NOT_FOUND, BAD_DATA with the place, IO).
TokenizerFiles load_tokenizer_files(const std::string &folder);

} // namespace aianime::nn
