// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/transformer.h"

#include <numeric>

#include "nn/aten.h"

namespace aianime::nn {

int64_t Prompts::runs() const {
    int64_t runs = keys.size(0);
    for (const ImageAttention::Seen &image : images)
        runs = std::lcm(runs, image.layer->keys.size(0));
    return runs;
}

Attention::Attention(int64_t channels, int64_t context, int64_t heads)
    : to_q(channels, channels, false), to_k(context, channels, false), to_v(context, channels, false), to_out(channels, channels),
      heads_(heads) {
    child("to_q", to_q);
    child("to_k", to_k);
    child("to_v", to_v);
    child("to_out.0", to_out);
}

at::Tensor Attention::self(const at::Tensor &x) const {
    return to_out.forward(attention(to_q.forward(x), to_k.forward(x), to_v.forward(x), heads_));
}

at::Tensor Attention::seen_in_frames(const at::Tensor &x, const LayerNorm &norm, FrameAttention *frames) const {
    const std::vector<at::Tensor> all = all_in_parts(x, [&](const Part &part) {
        const at::Tensor normal = norm.forward(part.x);
        return std::vector<at::Tensor>{to_q.forward(normal), to_k.forward(normal), to_v.forward(normal)};
    });
    return frames ? frames->attend(all[0], all[1], all[2], heads_) : attention(all[0], all[1], all[2], heads_);
}

Prompts Attention::look_at(const Conditions &conditions, int64_t height, int64_t width) const {
    Prompts prompts{to_k.forward(conditions.text), to_v.forward(conditions.text)};
    if (conditions.images)
        prompts.images = conditions.images->next(height, width);
    if (conditions.local) {
        const at::Tensor words = like_weight(conditions.local->tokens(), to_k.weight);
        prompts.local = {to_k.forward(words), to_v.forward(words), like_weight(conditions.local->bias(height, width), to_k.weight)};
    }
    return prompts;
}

at::Tensor Attention::cross(const Part &x, const Prompts &prompts) const {
    const at::Tensor k = x.of(prompts.keys), v = x.of(prompts.values), q = to_q.forward(x.x);
    // Queries of all pictures that share a text are one long batch entry: the text's keys are never repeated.
    const at::Tensor queries = q.view({k.size(0), -1, q.size(2)});
    const at::Tensor seen =
        prompts.local.keys.defined() ? with_local(queries, k, v, prompts.local, x) : attention(queries, k, v, heads_);
    return to_out.forward(add_images(seen, {q, x.first, x.batch}, prompts.images, heads_)).view_as(q);
}

at::Tensor Attention::with_local(const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values,
                                 const LocalKeys &local, const Part &part) const {
    const int64_t rows = queries.size(0);
    const at::Tensor bias = part.of(local.bias).reshape({rows, queries.size(1), -1});
    return attention(queries, at::cat({keys, local.keys.expand({rows, -1, -1})}, 1),
                     at::cat({values, local.values.expand({rows, -1, -1})}, 1), heads_,
                     at::constant_pad_nd(bias, {keys.size(1), 0}));
}

FeedForward::FeedForward(int64_t channels) : proj(channels, 8 * channels), out(4 * channels, channels) {
    child("net.0.proj", proj);
    child("net.2", out);
}

at::Tensor FeedForward::forward(const at::Tensor &x) const {
    // Two products instead of one that is cut in half: elementwise functions are several times slower on the halves of long rows.
    const std::vector<at::Tensor> weights = proj.weight.chunk(2), biases = proj.bias.chunk(2);
    const auto work = [&](const Part &part) {
        at::Tensor hidden = at::linear(part.x, weights[0], biases[0]);
        return out.forward(hidden.mul_(at::gelu(at::linear(part.x, weights[1], biases[1]))));
    };
    // Token by token, so even one picture has parts.
    PartSizes sizes;
    sizes.growth = 4;
    return in_parts(x.flatten(0, 1), work, sizes).view_as(x);
}

TransformerBlock::TransformerBlock(int64_t channels, int64_t text_channels, int64_t heads)
    : norm1(channels), attn1(channels, channels, heads), norm2(channels), attn2(channels, text_channels, heads), norm3(channels),
      ff(channels) {
    child("norm1", norm1);
    child("attn1", attn1);
    child("norm2", norm2);
    child("attn2", attn2);
    child("norm3", norm3);
    child("ff", ff);
}

at::Tensor TransformerBlock::forward(const at::Tensor &x, int64_t height, int64_t width, const Conditions &conditions) const {
    const at::Tensor seen = attn1.seen_in_frames(x, norm1, conditions.frames);
    const Prompts prompts = attn2.look_at(conditions, height, width);
    const auto work = [&](const Part &part) {
        at::Tensor h = attn1.to_out.forward(part.of(seen)).add_(part.x);
        h = attn2.cross({norm2.forward(h), part.first, part.batch}, prompts).add_(h);
        return ff.forward(norm3.forward(h)).add_(h);
    };
    PartSizes sizes;
    sizes.groups = prompts.runs();
    return over_parts(x, work, sizes);
}

Transformer::Transformer(int64_t channels, const TransformerConfig &config) : norm(config.groups, channels, 1e-6) {
    child("norm", norm);
    if (config.linear_projection) {
        linear_in = std::make_unique<Linear>(channels, channels);
        linear_out = std::make_unique<Linear>(channels, channels);
        child("proj_in", *linear_in);
        child("proj_out", *linear_out);
    } else {
        conv_in = std::make_unique<Conv2d>(channels, channels, 1);
        conv_out = std::make_unique<Conv2d>(channels, channels, 1);
        child("proj_in", *conv_in);
        child("proj_out", *conv_out);
    }
    for (int64_t i = 0; i < config.layers; i++) {
        blocks_.push_back(std::make_unique<TransformerBlock>(channels, config.text_channels, config.heads));
        child("transformer_blocks." + std::to_string(i), *blocks_.back());
    }
}

at::Tensor Transformer::enter(const at::Tensor &picture) const {
    return linear_in ? linear_in->forward(to_tokens(picture)) : to_tokens(conv_in->forward(picture));
}

at::Tensor Transformer::leave(const at::Tensor &tokens, int64_t height, int64_t width) const {
    return linear_out ? linear_out->forward(tokens) : to_tokens(conv_out->forward(to_picture(tokens, height, width)));
}

at::Tensor Transformer::forward(const at::Tensor &x, const Conditions &conditions) const {
    const int64_t height = x.size(2), width = x.size(3);
    if (conditions.frames) {
        conditions.frames->height = height;
        conditions.frames->width = width;
    }
    at::Tensor h = in_parts(x, [&](const Part &part) { return enter(norm.forward(part.x)); });
    for (const auto &block : blocks_)
        h = block->forward(h, height, width, conditions);
    const auto finish = [&](const Part &part) { return leave(part.x, height, width).add_(to_tokens(part.of(x))); };
    return to_picture(over_parts(h, finish), height, width);
}

} // namespace aianime::nn
