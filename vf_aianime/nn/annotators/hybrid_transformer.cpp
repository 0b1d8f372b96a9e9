// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/hybrid_transformer.h"

#include <cmath>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr double layer_norm_eps = 1e-6;

} // namespace

HybridTransformer::Block::Block(const WeightSource &source, const std::string &prefix, int64_t width, int64_t head_width)
    : heads(std::max<int64_t>(1, width / head_width)), norm1(width, layer_norm_eps), norm2(width, layer_norm_eps), q(width, width),
      k(width, width), v(width, width), proj(width, width), fc1(width, side(source, prefix + "mlp.fc1.weight", 0)),
      fc2(side(source, prefix + "mlp.fc1.weight", 0), width) {
    child("norm1", norm1);
    child("attn.q", q);
    child("attn.k", k);
    child("attn.v", v);
    child("attn.proj", proj);
    child("norm2", norm2);
    child("mlp.fc1", fc1);
    child("mlp.fc2", fc2);
}

at::Tensor HybridTransformer::Block::attend(const at::Tensor &x) const {
    const auto by_heads = [&](const Linear &layer) {
        return layer.forward(x).unflatten(2, {heads, x.size(2) / heads}).transpose(1, 2);
    };
    const at::Tensor out = at::scaled_dot_product_attention(by_heads(q), by_heads(k), by_heads(v));
    return proj.forward(out.transpose(1, 2).flatten(2));
}

at::Tensor HybridTransformer::Block::forward(const at::Tensor &x) const {
    const at::Tensor h = x + attend(norm1.forward(x));
    return h + fc2.forward(at::gelu(fc1.forward(norm2.forward(h))));
}

HybridTransformer::HybridTransformer(const WeightSource &source, const std::string &prefix, const HybridTraits &traits)
    : width_(side(source, prefix + "cls_token", 2)), backbone_(source, prefix + "patch_embed.backbone.", traits.groups),
      projection_(backbone_.widths().back(), width_, 1) {
    const int64_t grid = std::llround(std::sqrt(static_cast<double>(side(source, prefix + "pos_embed", 1) - 1)));
    if (width_ % std::max<int64_t>(1, width_ / traits.head_width) != 0)
        throw Error(AIANIME_BAD_DATA, source.description() + ": a transformer of width " + std::to_string(width_) +
                                          " has no heads of " + std::to_string(traits.head_width));
    parameter("cls_token", cls_token_, {1, 1, width_});
    parameter("pos_embed", pos_embed_, {1, 1 + grid * grid, width_});
    child("patch_embed.backbone", backbone_);
    child("patch_embed.proj", projection_);
    const int64_t count = count_numbered(source, prefix + "blocks.", ".attn.q.weight");
    for (int64_t i = 0; i < count; i++) {
        const std::string name = "blocks." + std::to_string(i);
        child(name, blocks_.emplace_back(source, prefix + name + ".", width_, traits.head_width));
    }
}

// Places learned for a square of pictures, stretched to another grid.
at::Tensor HybridTransformer::positions(int64_t rows, int64_t columns) const {
    const int64_t grid = std::llround(std::sqrt(static_cast<double>(pos_embed_.size(1) - 1)));
    const at::Tensor square = to_picture(pos_embed_.slice(1, 1), grid, grid).contiguous();
    const at::Tensor stretched = to_tokens(at::upsample_bilinear2d(square, {rows, columns}, false));
    return at::cat({pos_embed_.slice(1, 0, 1), stretched}, 1);
}

HybridTransformer::Features HybridTransformer::forward(const at::Tensor &x) const {
    const auto stages = backbone_.forward(x);
    const at::Tensor patches = projection_.forward(stages[2]);
    at::Tensor tokens = at::cat({cls_token_.expand({x.size(0), -1, -1}), to_tokens(patches)}, 1);
    tokens = tokens + positions(patches.size(2), patches.size(3));
    Features out{stages[0], stages[1], {}, {}};
    for (size_t i = 0; i < blocks_.size(); i++) {
        tokens = blocks_[i].forward(tokens);
        if (i + 1 == blocks_.size() * 3 / 4)
            out.middle = tokens;
    }
    out.last = tokens;
    return out;
}

} // namespace aianime::nn
