// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/lora_names.h"

#include <array>

#include "nn/lora_keys.h"

namespace aianime::nn {

namespace {

using Renaming = std::array<const char *, 2>;

// diffusers' names and what older ones, and the original code, call the same.
constexpr Renaming old_projections[] = {
    {"_q_proj", "_to_q"}, {"_k_proj", "_to_k"}, {"_v_proj", "_to_v"}, {"_out_proj", "_to_out"}, {"_to_out_0", "_to_out"},
};

constexpr Renaming resnet_layers[] = {
    {"norm1", "in_layers_0"},  {"conv1", "in_layers_2"},  {"time_emb_proj", "emb_layers_1"},
    {"norm2", "out_layers_0"}, {"conv2", "out_layers_3"}, {"conv_shortcut", "skip_connection"},
};

constexpr Renaming single_layers[] = {
    {"conv_in", "input_blocks_0_0"},
    {"time_embedding_linear_1", "time_embed_0"},
    {"time_embedding_linear_2", "time_embed_2"},
    {"conv_norm_out", "out_0"},
    {"conv_out", "out_2"},
};

// AnimateDiff's own files -> diffusers' MotionAdapter.
constexpr Renaming motion_layers[] = {
    {"temporal_transformer_", ""},
    {"attention_blocks_0_", "attn1_"},
    {"attention_blocks_1_", "attn2_"},
    {"ff_norm", "norm3"},
    {"norms_0", "norm1"},
    {"norms_1", "norm2"},
};

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string motion_name(std::string name) {
    for (const auto &[before, after] : motion_layers) {
        const size_t at = name.find(before);
        if (at != std::string::npos)
            name.replace(at, std::string(before).size(), after);
    }
    return name;
}

bool is_motion(const std::string &name) { return name.find("motion_modules_") != std::string::npos; }

} // namespace

LayerNames::LayerNames(Module &module) {
    std::map<std::string, size_t> known;
    module.visit([&](const std::string &tensor, at::Tensor &, const std::vector<int64_t> &shape) {
        const bool bias = ends_with(tensor, ".bias");
        if (!bias && !ends_with(tensor, ".weight"))
            return;
        const std::string name = tensor.substr(0, tensor.rfind('.'));
        const auto [place, added] = known.emplace(name, layers_.size());
        if (added)
            layers_.push_back({name, {}, {}});
        (bias ? layers_[place->second].bias : layers_[place->second].weight) = shape;
    });
    for (size_t layer = 0; layer < layers_.size(); layer++)
        add_names(layer);
    add_ldm_names();
}

const NamedLayer *LayerNames::find(const std::string &plain_name) const {
    const auto found = names_.find(is_motion(plain_name) ? motion_name(plain_name) : plain_name);
    return found == names_.end() ? nullptr : &layers_[found->second];
}

void LayerNames::add_names(size_t layer) {
    const std::string own = plain_layer(layers_[layer].name).name;
    const std::string name = is_motion(own) ? motion_name(own) : own;
    add(name, layer);
    for (const auto &[current, old] : old_projections)
        if (ends_with(name, current))
            add(name.substr(0, name.size() - std::string(current).size()) + old, layer);
}

// Numbers the blocks as the original code does: down, every level's layers and then its downsampler; up, every level's layers, the
// upsampler belonging to the last of them.
void LayerNames::add_ldm_names() {
    const std::map<std::string, size_t> own = names_;
    const auto has = [&own](const std::string &start) {
        const auto found = own.lower_bound(start);
        return found != own.end() && found->first.compare(0, start.size(), start) == 0;
    };
    // Everything below `before` also below `after`.
    const auto rename = [&](const std::string &before, const std::string &after) {
        for (auto entry = own.lower_bound(before); entry != own.end() && entry->first.compare(0, before.size(), before) == 0;
             ++entry)
            add(after + entry->first.substr(before.size()), entry->second);
    };
    const auto rename_resnet = [&](const std::string &before, const std::string &after) {
        for (const auto &[current, ldm] : resnet_layers)
            rename(before + current, after + ldm);
    };

    for (const auto &[current, ldm] : single_layers)
        rename(current, ldm);
    rename_resnet("mid_block_resnets_0_", "middle_block_0_");
    rename("mid_block_attentions_0_", "middle_block_1_");
    rename_resnet("mid_block_resnets_1_", "middle_block_2_");

    int input = 1, output = 0;
    for (int level = 0; has("down_blocks_" + std::to_string(level) + "_"); level++) {
        const std::string down = "down_blocks_" + std::to_string(level) + "_";
        for (int i = 0; has(down + "resnets_" + std::to_string(i) + "_"); i++, input++) {
            const std::string layer = std::to_string(i) + "_", block = "input_blocks_" + std::to_string(input) + "_";
            rename_resnet(down + "resnets_" + layer, block + "0_");
            rename(down + "attentions_" + layer, block + "1_");
        }
        if (has(down + "downsamplers_0_conv"))
            rename(down + "downsamplers_0_conv", "input_blocks_" + std::to_string(input++) + "_0_op");

        const std::string up = "up_blocks_" + std::to_string(level) + "_";
        for (int i = 0; has(up + "resnets_" + std::to_string(i) + "_"); i++, output++) {
            const std::string layer = std::to_string(i) + "_", block = "output_blocks_" + std::to_string(output) + "_";
            rename_resnet(up + "resnets_" + layer, block + "0_");
            rename(up + "attentions_" + layer, block + "1_");
        }
        // Behind the attention; some tools count it there even where the level has none.
        for (const char *place : {"_1_conv", "_2_conv"})
            rename(up + "upsamplers_0_conv", "output_blocks_" + std::to_string(output - 1) + place);
    }
}

} // namespace aianime::nn
