// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"

namespace aianime::nn {

class Module;

// CLIP's byte-pair tokenizer (transformers CLIPTokenizer): vocab.json and merges.txt of a tokenizer folder.
// Thread safety: const members from several threads.
class ClipTokenizer {
public:
    // Throws Error (NOT_FOUND, BAD_DATA).
    explicit ClipTokenizer(const std::string &folder);
    ~ClipTokenizer();
    // Token numbers of a text without start and end tokens; invalid UTF-8 is replaced, never an error.
    std::vector<int64_t> encode(const std::string &text) const;
    int64_t bos() const;
    int64_t eos() const;
    int64_t pad() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// transformers CLIPTextModel.
class ClipText {
public:
    explicit ClipText(const io::Json &config);
    ~ClipText();
    Module &module();
    int64_t width() const;
    int64_t max_tokens() const; // 77
    // ids [batch, tokens] int64 -> last hidden state after the final layer norm [batch, tokens, width].
    at::Tensor forward(const at::Tensor &ids) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
