// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "nn/tokenizer_files.h"

namespace aianime::nn {

// Byte-pair encoding: a word begins as single symbols, then the pair that stands earliest in the list of merges is joined, again
// and again, leftmost first. Thread safety: const members from several threads.
class BytePairs {
public:
    // Throws Error (BAD_DATA) for a merge whose parts or result are no tokens.
    explicit BytePairs(TokenizerFiles files);

    // The tokens of one word given as symbols; symbols the vocabulary lacks become `unknown`. O(n log n) in the symbols.
    void encode(const std::vector<std::string> &symbols, int32_t unknown, std::vector<int64_t> &out) const;

    // -1 when it is not a token.
    int32_t token(const std::string &text) const;

private:
    struct Merge {
        int32_t rank;
        int32_t token;
    };
    const Merge *find(int32_t left, int32_t right) const;

    Vocabulary vocabulary_;
    std::unordered_map<uint64_t, Merge> merges_; // by the pair of tokens
};

} // namespace aianime::nn
