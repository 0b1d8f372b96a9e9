// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cfa_module.h"

#include <algorithm>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/layers.h"
#include "nn/parts.h"

namespace aianime::nn {

namespace {

// Means over a coarse grid: [n, h * w, c] -> [n, side * side, c].
at::Tensor coarse_grid(const at::Tensor &tokens, int64_t height, int64_t width, int64_t side) {
    const at::Tensor picture = to_picture(tokens, height, width);
    return to_tokens(at::_adaptive_avg_pool2d(picture, {std::min(side, height), std::min(side, width)}));
}

class CfaLayer : public Module {
public:
    CfaLayer(int64_t channels, int64_t width, int64_t heads, int64_t grid)
        : grid_(grid), norm(channels), to_q(channels, width, false), to_kv(channels, 2 * width, false),
          to_out(width, channels, false) {
        child("norm", norm);
        child("to_q", to_q);
        child("to_kv", to_kv);
        child("to_out", to_out);
        parameter("gates", gates, {cross_kinds, heads});
    }

    at::Tensor forward(const at::Tensor &x, CrossFrames &frames) const {
        const int64_t height = x.size(2), width = x.size(3);
        CfaStore::Layer *store = layer_of(frames);
        const bool alone = (!store || store->anchors.empty()) && frames.neighbours.empty();
        if (alone && !frames.record)
            return x;
        const std::vector<at::Tensor> own = project(x, !alone);
        const at::Tensor seen = alone ? at::Tensor() : look(own[1], own[0], store, height, width, frames);
        if (frames.record)
            remember(*store, own[0], height, width);
        if (alone)
            return x;
        return over_parts(x,
                          [&](const Part &part) { return to_picture(to_out.forward(part.of(seen)), height, width).add_(part.x); });
    }

private:
    static CfaStore::Layer *layer_of(CrossFrames &frames) {
        const size_t layer = frames.next_layer++;
        if (!frames.anchors)
            return nullptr;
        if (frames.anchors->layers.size() <= layer)
            frames.anchors->layers.resize(layer + 1);
        return &frames.anchors->layers[layer];
    }

    // Keys and values, and queries where they are asked for.
    std::vector<at::Tensor> project(const at::Tensor &x, bool queries) const {
        return all_in_parts(x, [&](const Part &part) {
            const at::Tensor normal = norm.forward(to_tokens(part.x));
            std::vector<at::Tensor> made = {to_kv.forward(normal)};
            if (queries)
                made.push_back(to_q.forward(normal));
            return made;
        });
    }

    at::Tensor look(const at::Tensor &queries, const at::Tensor &both, const CfaStore::Layer *store, int64_t height, int64_t width,
                    CrossFrames &frames) const {
        CrossTokens tokens;
        tokens.height = height;
        tokens.width = width;
        tokens.branches = frames.branches;
        tokens.queries = queries;
        tokens.own = both;
        tokens.neighbours = frames.neighbours;
        tokens.neighbour_slots = frames.neighbour_slots();
        if (store) {
            tokens.anchors = store->anchors;
            tokens.coarse = store->coarse;
        }
        tokens.places = frames.on_grid(height, width);
        check(tokens, frames);
        return cross_attention(tokens, gates);
    }

    static void check(const CrossTokens &tokens, const CrossFrames &frames) {
        const at::Tensor &valid = tokens.places.valid;
        const int64_t slots = tokens.neighbour_slots + static_cast<int64_t>(tokens.anchors.size());
        const bool fits = tokens.queries.size(0) == frames.branches * frames.frames && valid.dim() == 5 &&
                          (valid.size(0) == 1 || valid.size(0) == frames.branches) && valid.size(1) == frames.frames &&
                          valid.size(2) == slots;
        if (!fits)
            throw Error(AIANIME_INTERNAL, "attention between frames: the flows are not those of " + std::to_string(frames.frames) +
                                              " frames with " + std::to_string(slots) + " others to look at");
    }

    void remember(CfaStore::Layer &store, const at::Tensor &both, int64_t height, int64_t width) const {
        store.anchors.push_back(both);
        if (!grid_)
            return;
        const at::Tensor coarse = coarse_grid(both, height, width, grid_);
        store.coarse = store.coarse.defined() ? at::cat({store.coarse, coarse}, 1) : coarse;
    }

    int64_t grid_;
    LayerNorm norm;
    Linear to_q, to_kv, to_out;
    at::Tensor gates;
};

} // namespace

struct CfaModule::Impl : Module {
    Impl(const CfaConfig &config, const UNetConfig &unet, const std::string &name) : config(config) {
        const size_t levels = unet.block_out_channels.size();
        if (config.channels != unet.block_out_channels || config.layers != unet.layers_per_block)
            throw Error(AIANIME_BAD_DATA,
                        name + ": this attention between frames was trained for another U-Net (its channels or layers differ)");
        for (size_t i = 0; i < levels; i++)
            down.push_back(make_block("down_blocks." + std::to_string(i), i, config.layers[i]));
        if (unet.mid_block)
            mid = make_block("mid_block", levels - 1, 1);
        for (size_t i = 0; i < levels; i++) {
            const size_t level = levels - 1 - i;
            up.push_back(make_block("up_blocks." + std::to_string(i), level, config.layers[level] + 1));
        }
    }

    using Block = std::vector<std::unique_ptr<CfaLayer>>;

    Block make_block(const std::string &block, size_t level, int64_t count) {
        Block layers;
        for (int64_t i = 0; i < count; i++) {
            layers.push_back(
                std::make_unique<CfaLayer>(config.channels[level], config.widths[level], config.heads, config.grid[level]));
            child(block + ".cross_frames." + std::to_string(i), *layers.back());
        }
        return layers;
    }

    const CfaConfig config;
    std::vector<Block> down;
    Block mid;
    std::vector<Block> up;
};

CfaModule::CfaModule(const CfaConfig &config, const UNetConfig &unet, const std::string &name)
    : impl_(std::make_unique<Impl>(config, unet, name)) {}
CfaModule::~CfaModule() = default;
Module &CfaModule::module() { return *impl_; }
const CfaConfig &CfaModule::config() const { return impl_->config; }

at::Tensor CfaModule::down(size_t block, size_t layer, const at::Tensor &x, CrossFrames &frames) const {
    return impl_->down[block][layer]->forward(x, frames);
}

at::Tensor CfaModule::mid(const at::Tensor &x, CrossFrames &frames) const { return impl_->mid.front()->forward(x, frames); }

at::Tensor CfaModule::up(size_t block, size_t layer, const at::Tensor &x, CrossFrames &frames) const {
    return impl_->up[block][layer]->forward(x, frames);
}

} // namespace aianime::nn
