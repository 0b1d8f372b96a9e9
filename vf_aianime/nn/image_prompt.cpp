// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/image_prompt.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/frame_attention.h"

namespace aianime::nn {

at::Tensor ImageAttention::add(const at::Tensor &seen, const at::Tensor &queries, int64_t heads) {
    const size_t number = next_layer++;
    at::Tensor sum = seen;
    for (const ImagePrompt &prompt : prompts) {
        if (number >= prompt.layers.size())
            throw Error(AIANIME_INTERNAL, "image prompt: made for " + std::to_string(prompt.layers.size()) +
                                              " cross-attention layers, the U-Net has more");
        const ImagePrompt::Layer &layer = prompt.layers[number];
        if (layer.scale == 0)
            continue;
        const at::Tensor q = queries.view({layer.keys.size(0), -1, queries.size(2)});
        sum = at::add(sum, attention(q, layer.keys, layer.values, heads).view_as(seen), layer.scale);
    }
    return sum;
}

} // namespace aianime::nn
