// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/image_prompt.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/frame_attention.h"

namespace aianime::nn {

ImageAttention::ImageAttention(const std::vector<ImagePrompt> &prompts) : prompts_(prompts) {
    for (const ImagePrompt &prompt : prompts)
        masks_.emplace_back(prompt.masks.defined() ? prompt.masks.unsqueeze(1) : at::Tensor());
}

std::vector<ImageAttention::Seen> ImageAttention::next(int64_t height, int64_t width) {
    const size_t number = next_layer_++;
    std::vector<Seen> all;
    for (size_t i = 0; i < prompts_.size(); i++) {
        const ImagePrompt &prompt = prompts_[i];
        if (number >= prompt.layers.size())
            throw Error(AIANIME_INTERNAL, "image prompt: made for " + std::to_string(prompt.layers.size()) +
                                              " cross-attention layers, the U-Net has more");
        if (prompt.layers[number].scale != 0)
            all.push_back(
                {&prompt.layers[number], prompt.masks.defined() ? masks_[i].at(height, width).select(1, 0) : at::Tensor()});
    }
    return all;
}

at::Tensor add_images(const at::Tensor &seen, const Part &queries, const std::vector<ImageAttention::Seen> &prompts,
                      int64_t heads) {
    at::Tensor sum = seen;
    for (const ImageAttention::Seen &prompt : prompts) {
        const at::Tensor keys = queries.of(prompt.layer->keys), values = queries.of(prompt.layer->values);
        const at::Tensor q = queries.x.view({keys.size(0), -1, queries.x.size(2)});
        at::Tensor more = attention(q, keys, values, heads).view_as(seen);
        if (prompt.places.defined())
            more = more * queries.of(prompt.places).to(more.options()).reshape({seen.size(0), -1, 1});
        sum = at::add(sum, more, prompt.layer->scale);
    }
    return sum;
}

} // namespace aianime::nn
