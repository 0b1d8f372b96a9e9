// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aianime::nn {

// GPT-2's byte-level byte-pair tokenizer as OPT uses it (transformers GPT2Tokenizer): tokenizer.json, or vocab.json and merges.txt,
// and the settings beside them (tokenizer_config.json, special_tokens_map.json, added_tokens.json).
// Thread safety: const members from several threads.
class ByteLevelTokenizer {
public:
    // Throws Error (NOT_FOUND, IO; BAD_DATA where the files do not belong together or lack symbols of bytes).
    explicit ByteLevelTokenizer(const std::string &folder);
    ~ByteLevelTokenizer();

    // Token numbers of a text, with the start token, "</s>", in front as OPT has it. Added and special tokens that are written out
    // in the text are found. Invalid UTF-8 is replaced, never an error.
    std::vector<int64_t> encode(const std::string &text) const;
    // The text of tokens. Bytes that are not UTF-8 become U+FFFD; numbers without a token are left out.
    std::string decode(const std::vector<int64_t> &tokens, bool skip_special) const;

    int64_t bos() const;  // the start token
    int64_t size() const; // of the vocabulary, added tokens included: the largest number plus one

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
