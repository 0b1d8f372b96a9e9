// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "train/loop.h"
#include "train/pairs.h"

namespace aianime::train {

// What `aianime train pack` is asked for.
struct PackOptions {
    PairOptions pairs;
    std::string shape;  // folder whose config.json files, tokenizer and scheduler the pack gets
    std::string from;   // pack whose weights training starts from; "": random ones
    std::string work;   // states, samples, pairs
    std::string output; // the pack
    at::Device device = at::kCPU;
    uint64_t seed = 1;
    bool bf16 = false;
    int64_t batch = 8;               // pictures of 128x128; fewer larger ones
    std::vector<std::string> stages; // which of pack_stages(), in their order; empty: all
    int64_t autoencoder_steps = 3000, denoiser_steps = 12000, distillation_steps = 3000, temporal_steps = 3000,
            identity_steps = 1000;
    double minutes = 0; // for each stage
};

const std::vector<std::string> &pack_stages(); // "autoencoder", "denoiser", "distillation", "temporal", "identity"

// Trains the stages one after the other; each keeps its state in the work folder, so that the same call goes on where one was
// stopped and a stage that is done is only loaded. With `from`, an autoencoder that is not wanted stays as it is. Writes the pack
// after each stage. Throws Error.
LoopEnd train_pack(const PackOptions &options, const Report &report);

} // namespace aianime::train
