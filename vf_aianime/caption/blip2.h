// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include "nn/blip2/search.h"

namespace aianime::caption {

struct Blip2Settings {
    // What the sentence begins with ("a photo of") or the question it answers ("Question: how many people are there? Answer:").
    // Empty: the model begins itself.
    std::string prompt;
    nn::SearchSettings search; // its `eos`, where empty, is the model's own
};

// Captions by a BLIP-2 model with OPT (arXiv 2301.12597), such as Salesforce/blip2-opt-2.7b: a folder with config.json, weights
// (model.safetensors, or model.safetensors.index.json and its shards) and a tokenizer (tokenizer.json, or vocab.json and
// merges.txt).
//
// Memory: 4 or 2 bytes a parameter in float32 and bfloat16; the Q-Former stays in float32. blip2-opt-2.7b has 3.7 billion: 15.0 and
// 7.7 GB. The weights are read in the type asked for, one tensor at a time.
// Thread safety: const members from several threads.
class Blip2Captioner {
public:
    // Throws Error: NOT_FOUND or BAD_DATA for a file that is missing or half there, naming it; BAD_DATA for another language model
    // than OPT and for files that do not belong together; FORBIDDEN for pickles; OUT_OF_RANGE for settings.
    Blip2Captioner(const std::string &folder, at::ScalarType dtype, at::Device device, Blip2Settings settings = {});
    ~Blip2Captioner();

    // rgb: CV_32FC3 in [0, 1], of any size. What follows the prompt, in one line without white space at its ends. Throws Error
    // (INVALID for another kind of picture, NOT_FINITE).
    std::string caption(const cv::Mat &rgb) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::caption
