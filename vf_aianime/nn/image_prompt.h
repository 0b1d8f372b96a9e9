// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/parts.h"

namespace aianime::nn {

// Pictures as an IP-Adapter shows them to a U-Net: keys and values beside the text's in every cross-attention layer. They hold for
// a whole run, whatever the step.
struct ImagePrompt {
    struct Layer {
        at::Tensor keys, values; // [branches or 1, tokens, channels]
        double scale;            // 0 leaves the layer alone
    };
    std::vector<Layer> layers; // in the order of the forward pass
};

// What the cross-attention layers of one forward pass need to know of their image prompts. One object per forward pass.
struct ImageAttention {
    const std::vector<ImagePrompt> &prompts;
    size_t next_layer = 0; // advanced by each cross-attention layer

    // The next layer's prompts, those that act. Throws Error (INTERNAL) where a prompt was made for another U-Net.
    std::vector<const ImagePrompt::Layer *> next();
};

// Adds what the queries of the part, [pictures, n, channels], see in a layer's prompts to `seen`, what they see in the text, in any
// shape with as many elements. Each row of a prompt's keys serves as many consecutive pictures of the batch.
at::Tensor add_images(const at::Tensor &seen, const Part &queries, const std::vector<const ImagePrompt::Layer *> &prompts,
                      int64_t heads);

} // namespace aianime::nn
