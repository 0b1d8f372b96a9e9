// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/image_prompt.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/frame_attention.h"

namespace aianime::nn {

std::vector<const ImagePrompt::Layer *> ImageAttention::next() {
    const size_t number = next_layer++;
    std::vector<const ImagePrompt::Layer *> layers;
    for (const ImagePrompt &prompt : prompts) {
        if (number >= prompt.layers.size())
            throw Error(AIANIME_INTERNAL, "image prompt: made for " + std::to_string(prompt.layers.size()) +
                                              " cross-attention layers, the U-Net has more");
        if (prompt.layers[number].scale != 0)
            layers.push_back(&prompt.layers[number]);
    }
    return layers;
}

at::Tensor add_images(const at::Tensor &seen, const Part &queries, const std::vector<const ImagePrompt::Layer *> &prompts,
                      int64_t heads) {
    at::Tensor sum = seen;
    for (const ImagePrompt::Layer *prompt : prompts) {
        const at::Tensor keys = queries.of(prompt->keys), values = queries.of(prompt->values);
        const at::Tensor q = queries.x.view({keys.size(0), -1, queries.x.size(2)});
        sum = at::add(sum, attention(q, keys, values, heads).view_as(seen), prompt->scale);
    }
    return sum;
}

} // namespace aianime::nn
