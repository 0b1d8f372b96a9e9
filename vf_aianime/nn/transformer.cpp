// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/transformer.h"

#include "nn/aten.h"

namespace aianime::nn {

Attention::Attention(int64_t channels, int64_t context, int64_t heads)
    : heads_(heads), to_q(channels, channels, false), to_k(context, channels, false), to_v(context, channels, false),
      to_out(channels, channels) {
    child("to_q", to_q);
    child("to_k", to_k);
    child("to_v", to_v);
    child("to_out.0", to_out);
}

at::Tensor Attention::self(const at::Tensor &x, FrameAttention *frames) const {
    const at::Tensor q = to_q.forward(x), k = to_k.forward(x), v = to_v.forward(x);
    return to_out.forward(frames ? frames->attend(q, k, v, heads_) : attention(q, k, v, heads_));
}

at::Tensor Attention::cross(const at::Tensor &x, const at::Tensor &text, ImageAttention *images) const {
    const at::Tensor k = to_k.forward(text), v = to_v.forward(text);
    // Queries of all pictures that share a text are one long batch entry: the text's keys are never repeated.
    const at::Tensor q = to_q.forward(x).view({text.size(0), -1, x.size(2)});
    at::Tensor seen = attention(q, k, v, heads_);
    if (images)
        seen = images->add(seen, q.view_as(x), heads_);
    return to_out.forward(seen).view_as(x);
}

FeedForward::FeedForward(int64_t channels) : proj(channels, 8 * channels), out(4 * channels, channels) {
    child("net.0.proj", proj);
    child("net.2", out);
}

at::Tensor FeedForward::forward(const at::Tensor &x) const {
    // Two products instead of one that is cut in half: elementwise functions are several times slower on the halves of long rows.
    const std::vector<at::Tensor> weights = proj.weight.chunk(2), biases = proj.bias.chunk(2);
    at::Tensor hidden = at::linear(x, weights[0], biases[0]);
    return out.forward(hidden.mul_(at::gelu(at::linear(x, weights[1], biases[1]))));
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

at::Tensor TransformerBlock::forward(const at::Tensor &x, const Conditions &conditions) const {
    at::Tensor h = attn1.self(norm1.forward(x), conditions.frames).add_(x);
    h = attn2.cross(norm2.forward(h), conditions.text, conditions.images).add_(h);
    return ff.forward(norm3.forward(h)).add_(h);
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

at::Tensor Transformer::forward(const at::Tensor &x, const Conditions &conditions) const {
    const at::Tensor normal = norm.forward(x);
    if (conditions.frames) {
        conditions.frames->height = x.size(2);
        conditions.frames->width = x.size(3);
    }
    at::Tensor h = linear_in ? linear_in->forward(to_tokens(normal)) : to_tokens(conv_in->forward(normal));
    for (const auto &block : blocks_)
        h = block->forward(h, conditions);
    if (linear_out)
        h = linear_out->forward(h);
    const at::Tensor picture = to_picture(h, x.size(2), x.size(3));
    return (linear_out ? picture : conv_out->forward(picture)).add_(x);
}

} // namespace aianime::nn
