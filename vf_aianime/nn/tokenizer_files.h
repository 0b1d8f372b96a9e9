// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/json.h"

namespace aianime::nn {

using Vocabulary = std::unordered_map<std::string, int32_t>;

// A token that is found in a text as it was written, before anything else is done to it.
struct AddedToken {
    std::string text;
    int32_t token = 0;
    bool special = false;                       // left out of what is shown to people
    bool eats_left = false, eats_right = false; // white space beside it belongs to it
};

// A byte-pair tokenizer as transformers stores it.
struct TokenizerFiles {
    Vocabulary vocabulary;
    std::vector<std::pair<std::string, std::string>> merges; // the earlier, the more eager
    std::string merges_file;                                 // for messages
    std::vector<AddedToken> added;                           // of tokenizer.json only, see load_added_tokens()
};

// Reads tokenizer.json where there is no vocab.json, else vocab.json (one flat object of texts and token numbers, each text once,
// from 0 to 2^24) and merges.txt (a "#version" line and two symbols a line). Throws Error (NOT_FOUND, BAD_DATA with the place, IO).
TokenizerFiles load_tokenizer_files(const std::string &folder);

// tokenizer_config.json, else special_tokens_map.json, else an empty object.
io::Json load_tokenizer_settings(const std::string &folder);

// The text that such settings name a token by: a text, or an object that holds it in "content". Missing and null give `fallback`.
std::string token_text(const io::Json &settings, const std::string &key, const std::string &fallback);

// Tokens beside the vocabulary: `files.added`, those of tokenizer_config.json ("added_tokens_decoder"), of added_tokens.json, and
// the special ones that the settings name, each text once. Throws as load_tokenizer_files().
std::vector<AddedToken> load_added_tokens(const std::string &folder, const TokenizerFiles &files, const io::Json &settings);

} // namespace aianime::nn
