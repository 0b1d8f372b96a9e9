// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "nn/ldm_layout.h"

namespace aianime::nn {

namespace {

using Renaming = std::pair<const char *, const char *>;

constexpr Renaming pieces[] = {
    {".mid.block_1.", ".mid_block.resnets.0."},
    {".mid.block_2.", ".mid_block.resnets.1."},
    {".mid.attn_1.norm.", ".mid_block.attentions.0.group_norm."},
    {".mid.attn_1.q.", ".mid_block.attentions.0.to_q."},
    {".mid.attn_1.k.", ".mid_block.attentions.0.to_k."},
    {".mid.attn_1.v.", ".mid_block.attentions.0.to_v."},
    {".mid.attn_1.proj_out.", ".mid_block.attentions.0.to_out.0."},
    {".downsample.conv.", ".downsamplers.0.conv."},
    {".upsample.conv.", ".upsamplers.0.conv."},
    {".norm_out.", ".conv_norm_out."},
    {".nin_shortcut.", ".conv_shortcut."},
    {".block.", ".resnets."},
    {"encoder.down.", "encoder.down_blocks."},
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

// The original code counts the decoder's levels from the picture's side, diffusers from the latent's.
std::string turn_level(const std::string &name, int64_t levels) {
    const std::string start = "decoder.up.";
    if (!starts_with(name, start))
        return name;
    const size_t end = name.find('.', start.size());
    const std::string number = name.substr(start.size(), end - start.size());
    if (number.empty() || number.size() > 2 || number.find_first_not_of("0123456789") != std::string::npos)
        return name;
    return "decoder.up_blocks." + std::to_string(levels - 1 - std::stoi(number)) + name.substr(end);
}

std::string diffusers_name(const std::string &bare, int64_t levels) {
    std::string name = turn_level(bare, levels);
    for (const auto &[before, after] : pieces) {
        const size_t at = name.find(before);
        if (at != std::string::npos)
            name.replace(at, std::char_traits<char>::length(before), after);
    }
    return name;
}

// The projections of the attention are 1x1 convolutions in the original code.
std::vector<int64_t> network_shape(const std::string &name, std::vector<int64_t> shape) {
    if (name.find(".attentions.0.to_") != std::string::npos && shape.size() == 4 && shape[2] == 1 && shape[3] == 1)
        shape.resize(2);
    return shape;
}

} // namespace

std::map<std::string, WeightView> ldm_vae_views(const WeightSource &source, const std::string &prefix) {
    int64_t levels = 0;
    while (source.has(prefix + "encoder.down." + std::to_string(levels) + ".block.0.norm1.weight"))
        levels++;
    std::map<std::string, WeightView> views;
    for (const std::string &stored : source.names()) {
        if (!starts_with(stored, prefix))
            continue;
        const std::string bare = stored.substr(prefix.size());
        // Files of an autoencoder alone often carry its training: a discriminator and averaged copies.
        if (starts_with(bare, "loss.") || starts_with(bare, "model_ema.") || bare.find('.') == std::string::npos)
            continue;
        const std::string name = diffusers_name(bare, levels);
        views[name] = {stored, network_shape(name, source.shape(stored))};
    }
    return views;
}

} // namespace aianime::nn
