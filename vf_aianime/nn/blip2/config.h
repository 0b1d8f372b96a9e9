// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "io/json.h"

namespace aianime::nn {

// The config.json of a BLIP-2 folder (transformers Blip2Config). Keys that are absent have transformers' values, which are those of
// Salesforce/blip2-opt-2.7b's parts. Each constructor throws Error (BAD_DATA, OUT_OF_RANGE) for a setting that makes no sense or is
// computed differently from what is done here.

struct Blip2VisionConfig {
    explicit Blip2VisionConfig(const io::Json &json);
    int64_t tokens() const { return (image_size / patch_size) * (image_size / patch_size) + 1; }

    int64_t width, hidden, layers, heads, image_size, patch_size;
    double eps;
    bool qkv_bias;
};

struct QFormerConfig {
    QFormerConfig(const io::Json &json, int64_t picture_width);

    int64_t width, hidden, layers, heads;
    int64_t cross_attention_every; // layers 0, n, 2n, ... look at the picture
    int64_t picture_width;         // of the tokens they see
    double eps;
};

struct OptConfig {
    explicit OptConfig(const io::Json &json);

    int64_t vocabulary, width, hidden, layers, heads, positions;
    int64_t word_width; // of the embeddings of words; where it is not `width` they are projected (OPT-350m)
    bool norm_before;   // of attention and feed-forward, else after them (OPT-350m)
    bool final_norm;
    bool gelu; // else ReLU
    bool bias;
    bool tied; // the embeddings of words are the head's weights
    int64_t bos;
    std::vector<int64_t> eos; // any of them ends a sentence; empty: none does
};

struct Blip2Config {
    // Refuses language models other than OPT with one clear line.
    explicit Blip2Config(const io::Json &json);

    Blip2VisionConfig vision;
    QFormerConfig qformer;
    OptConfig text;
    int64_t queries;     // tokens that a picture becomes
    int64_t image_token; // whose places they take in a prompt; -1 in files that are older than this token
};

} // namespace aianime::nn
