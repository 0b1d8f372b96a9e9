// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/text_time.h"

#include "nn/aten.h"

namespace aianime::nn {

AttentionPooling::AttentionPooling(int64_t width, int64_t heads)
    : heads_(heads), k_proj(width, width), q_proj(width, width), v_proj(width, width) {
    parameter("positional_embedding", positional_embedding, {1, width});
    child("k_proj", k_proj);
    child("q_proj", q_proj);
    child("v_proj", v_proj);
}

at::Tensor AttentionPooling::forward(const at::Tensor &text) const {
    const at::Tensor token = at::add(text.mean({1}, true), positional_embedding);
    const at::Tensor all = at::cat({token, text}, 1);
    const auto split = [this](const at::Tensor &x) { return x.unflatten(2, {heads_, x.size(2) / heads_}).transpose(1, 2); };
    const at::Tensor pooled =
        at::scaled_dot_product_attention(split(q_proj.forward(token)), split(k_proj.forward(all)), split(v_proj.forward(all)));
    return pooled.flatten(1);
}

TextTimeEmbedding::TextTimeEmbedding(int64_t width, int64_t out, int64_t heads)
    : norm1(width), pool(width, heads), proj(width, out), norm2(out) {
    child("norm1", norm1);
    child("pool", pool);
    child("proj", proj);
    child("norm2", norm2);
}

at::Tensor TextTimeEmbedding::forward(const at::Tensor &text) const {
    return norm2.forward(proj.forward(pool.forward(norm1.forward(text))));
}

} // namespace aianime::nn
