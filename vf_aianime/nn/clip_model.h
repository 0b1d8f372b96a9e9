// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "io/json.h"

namespace aianime::nn {

class ClipVision;
class WeightSource;

// transformers CLIPModel: how well a picture and a text go together. Thread safety: as Module.
class ClipModel {
public:
    // Takes the config.json of a whole CLIP: "text_config", "vision_config", "projection_dim". Throws Error (BAD_DATA,
    // OUT_OF_RANGE) for a setting that makes no sense or is not known.
    explicit ClipModel(const io::Json &config);
    ~ClipModel();

    // Throws as nn::load() does.
    void load(const WeightSource &source, at::ScalarType dtype, at::Device device);
    // The checks that load() begins with.
    void check(const WeightSource &source);
    int64_t parameter_count();
    int64_t max_tokens() const;
    int64_t projection() const; // of an embedding
    // Prepares pictures: ClipVision::preprocess().
    const ClipVision &vision() const;

    // ids [n, tokens] int64 with start and end tokens -> [n, projection], float32, of length 1. What is behind the first end token
    // has no influence. The end token is "eos_token_id" of the text's configuration; where that is 2, which files from before
    // transformers 4.31 say whatever it is, the one with the largest number. Throws Error (BAD_DATA) for a text without it and
    // as ClipText does.
    at::Tensor text_embeddings(const at::Tensor &ids) const;
    // `pixels` as vision().preprocess() gives them -> [n, projection], float32, of length 1.
    at::Tensor picture_embeddings(const at::Tensor &pixels) const;
    // [n, projection] and [m, projection] -> [n, m]: the cosine times logit_scale.
    at::Tensor logits(const at::Tensor &pictures, const at::Tensor &texts) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
