// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "nn/module.h"

namespace aianime::nn {

// CLIP's byte-pair tokenizer (transformers CLIPTokenizer): vocab.json and merges.txt of a tokenizer folder.
// Thread safety: const members from several threads.
class ClipTokenizer {
public:
    // `pad`: the token to pad with, "" = the one that the folder's settings name. Throws Error (NOT_FOUND, BAD_DATA).
    explicit ClipTokenizer(const std::string &folder, const std::string &pad = "");
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

// transformers CLIPTextModel. Thread safety: as Module.
class ClipText {
public:
    // Throws Error (BAD_DATA, OUT_OF_RANGE) for a setting that makes no sense or is not known.
    explicit ClipText(const io::Json &config);
    ~ClipText();
    // Takes names with and without the "text_model." in front that releases before transformers 5 wrote; leaves out position
    // numbers and the projection such files may carry. Returns and throws as nn::load() does.
    std::vector<std::string> load(const WeightSource &source, at::ScalarType dtype, at::Device device,
                                  const Patch &patch = nullptr);
    // The checks that load() begins with.
    void check(const WeightSource &source);
    // The network under the names without "text_model.".
    Module &module();
    int64_t width() const;
    int64_t max_tokens() const; // 77
    // Throws Error (OUT_OF_RANGE) for a clip_skip that forward() would refuse.
    void check_clip_skip(int64_t clip_skip) const;
    // ids [batch, tokens] int64, at most max_tokens of them -> last hidden state after the final layer norm [batch, tokens, width].
    // `clip_skip` counts as web UIs do: 1 is the last layer, 2 the one before it, and so on; the final layer norm always follows.
    // Throws Error (BAD_DATA) for an id beyond the vocabulary, Error (OUT_OF_RANGE) for a clip_skip beyond the layers.
    at::Tensor forward(const at::Tensor &ids, int64_t clip_skip = 1) const;
    // The two halves of forward(). Between them a textual inversion's vectors take the places of tokens' embeddings
    // [batch, tokens, width].
    at::Tensor token_embeddings(const at::Tensor &ids) const;
    at::Tensor encode(const at::Tensor &embeddings, int64_t clip_skip = 1) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
