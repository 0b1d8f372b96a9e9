// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/ldm_text.h"

#include <algorithm>

namespace aianime::nn {

namespace {

using Renaming = std::pair<const char *, const char *>;

constexpr const char *open_clip_prefixes[] = {"cond_stage_model.model.", ""};
constexpr const char *clip_prefixes[] = {"cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.", "text_model.",
                                         ""};

constexpr Renaming open_clip_layers[] = {
    {"ln_1.", "layer_norm1."}, {"ln_2.", "layer_norm2."},   {"attn.out_proj.", "self_attn.out_proj."},
    {"mlp.c_fc.", "mlp.fc1."}, {"mlp.c_proj.", "mlp.fc2."},
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The prefix of an OpenCLIP text encoder, null where there is none.
const char *open_clip_prefix(const WeightSource &source) {
    for (const char *prefix : open_clip_prefixes)
        if (source.has(prefix + std::string("transformer.resblocks.0.attn.in_proj_weight")) &&
            source.has(prefix + std::string("token_embedding.weight")))
            return prefix;
    return nullptr;
}

// The three projections lie one below the other in one tensor.
void add_projections(const WeightSource &source, const std::string &stored, const std::string &layer, const std::string &kind,
                     std::map<std::string, WeightView> &views) {
    std::vector<int64_t> shape = source.shape(stored);
    if (shape.empty())
        return;
    shape.front() /= 3;
    int64_t row = 0;
    for (const char *projection : {"q_proj.", "k_proj.", "v_proj."}) {
        views[layer + "self_attn." + projection + kind] = {stored, shape, row};
        row += shape.front();
    }
}

void add_layer(const WeightSource &source, const std::string &stored, const std::string &layer, const std::string &rest,
               std::map<std::string, WeightView> &views) {
    if (starts_with(rest, "attn.in_proj_"))
        return add_projections(source, stored, layer, rest.substr(std::char_traits<char>::length("attn.in_proj_")), views);
    std::string name = rest;
    for (const auto &[before, after] : open_clip_layers)
        if (starts_with(rest, before))
            name = after + rest.substr(std::char_traits<char>::length(before));
    views[layer + name] = {stored, source.shape(stored)};
}

std::map<std::string, WeightView> open_clip_views(const WeightSource &source, const std::string &prefix) {
    const std::string blocks = prefix + "transformer.resblocks.";
    int64_t layers = 0;
    while (source.has(blocks + std::to_string(layers) + ".ln_1.weight"))
        layers++;
    std::map<std::string, WeightView> views;
    const auto add = [&](const std::string &name, const std::string &stored) {
        if (source.has(prefix + stored))
            views[name] = {prefix + stored, source.shape(prefix + stored)};
    };
    add("embeddings.token_embedding.weight", "token_embedding.weight");
    add("embeddings.position_embedding.weight", "positional_embedding");
    add("final_layer_norm.weight", "ln_final.weight");
    add("final_layer_norm.bias", "ln_final.bias");
    for (const std::string &stored : source.names()) {
        if (!starts_with(stored, blocks))
            continue;
        const size_t dot = stored.find('.', blocks.size());
        const std::string number = stored.substr(blocks.size(), dot - blocks.size());
        if (dot == std::string::npos || number == std::to_string(layers - 1))
            continue;
        add_layer(source, stored, "encoder.layers." + number + ".", stored.substr(dot + 1), views);
    }
    return views;
}

} // namespace

bool has_open_clip(const WeightSource &source) { return open_clip_prefix(source) != nullptr; }

std::map<std::string, WeightView> text_encoder_views(const WeightSource &source) {
    if (const char *prefix = open_clip_prefix(source))
        return open_clip_views(source, prefix);
    std::map<std::string, WeightView> views;
    for (const std::string prefix : clip_prefixes) {
        if (!source.has(prefix + "embeddings.token_embedding.weight"))
            continue;
        for (const std::string &stored : source.names())
            if (starts_with(stored, prefix) && !ends_with(stored, "position_ids"))
                views[stored.substr(prefix.size())] = {stored, source.shape(stored)};
        break;
    }
    return views;
}

} // namespace aianime::nn
