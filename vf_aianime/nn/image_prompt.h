// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/parts.h"
#include "nn/place_masks.h"

namespace aianime::nn {

// Pictures as an IP-Adapter shows them to a U-Net: keys and values beside the text's in every cross-attention layer. They hold for
// a whole run, whatever the step.
struct ImagePrompt {
    struct Layer {
        at::Tensor keys, values; // [branches or 1, tokens, channels]
        double scale;            // 0 leaves the layer alone
    };
    std::vector<Layer> layers; // in the order of the forward pass
    at::Tensor masks = {};     // where it is seen, float32 [batch, H, W] in [0, 1], of any size; undefined: everywhere
};

// What the cross-attention layers of one forward pass need to know of their image prompts. One object per forward pass.
class ImageAttention {
public:
    explicit ImageAttention(const std::vector<ImagePrompt> &prompts);

    // A prompt that acts in a layer, and where: [batch, grid tokens], undefined: everywhere.
    struct Seen {
        const ImagePrompt::Layer *layer;
        at::Tensor places;
    };
    // Those of the next layer, whose grid is height x width. Throws Error (INTERNAL) where a prompt was made for another U-Net.
    std::vector<Seen> next(int64_t height, int64_t width);

private:
    const std::vector<ImagePrompt> &prompts_;
    std::vector<PlaceMasks> masks_; // of the prompts
    size_t next_layer_ = 0;
};

// Adds what the queries of the part, [pictures, n, channels], see in a layer's prompts to `seen`, what they see in the text, in any
// shape with as many elements. Each row of a prompt's keys serves as many consecutive pictures of the batch.
at::Tensor add_images(const at::Tensor &seen, const Part &queries, const std::vector<ImageAttention::Seen> &prompts, int64_t heads);

} // namespace aianime::nn
