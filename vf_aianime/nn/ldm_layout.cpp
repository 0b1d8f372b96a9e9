// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/ldm_layout.h"

#include <algorithm>

#include "io/error.h"

namespace aianime::nn {

namespace {

using Renaming = std::pair<const char *, const char *>;

// Outside the numbered blocks.
constexpr Renaming single_layers[] = {
    {"time_embed.0.", "time_embedding.linear_1."},
    {"time_embed.2.", "time_embedding.linear_2."},
    {"input_blocks.0.0.", "conv_in."},
    {"out.0.", "conv_norm_out."},
    {"out.2.", "conv_out."},
    // ControlNet
    {"middle_block_out.0.", "controlnet_mid_block."},
    {"input_hint_block.0.", "controlnet_cond_embedding.conv_in."},
    {"input_hint_block.14.", "controlnet_cond_embedding.conv_out."},
};

// Inside a residual block.
constexpr Renaming resnet_layers[] = {
    {"in_layers.0.", "norm1."},  {"in_layers.2.", "conv1."},  {"emb_layers.1.", "time_emb_proj."},
    {"out_layers.0.", "norm2."}, {"out_layers.3.", "conv2."}, {"skip_connection.", "conv_shortcut."},
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

template <size_t n>
std::string renamed(const std::string &name, const Renaming (&renamings)[n]) {
    for (const auto &[before, after] : renamings)
        if (starts_with(name, before))
            return after + name.substr(std::char_traits<char>::length(before));
    return name;
}

// "input_hint_block.4.weight" -> "controlnet_cond_embedding.blocks.1.weight", "zero_convs.3.0.bias" ->
// "controlnet_down_blocks.3.bias".
std::string control_name(const std::string &name) {
    const size_t dot = name.find('.'), next = name.find('.', dot + 1);
    const std::string number = name.substr(dot + 1, next - dot - 1);
    if (starts_with(name, "zero_convs.") && starts_with(name.substr(next), ".0."))
        return "controlnet_down_blocks." + number + name.substr(next + 2);
    // An activation stands between any two convolutions.
    if (starts_with(name, "input_hint_block.") && number.find_first_not_of("0123456789") == std::string::npos && number.size() < 3)
        return "controlnet_cond_embedding.blocks." + std::to_string(std::stoi(number) / 2 - 1) + name.substr(next);
    return name;
}

// The part of a name up to and including the n-th dot; "" when it has fewer.
std::string first_parts(const std::string &name, int n) {
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        end = name.find('.', end);
        if (end == std::string::npos)
            return "";
        end++;
    }
    return name.substr(0, end);
}

int64_t count_transformer_layers(const WeightSource &source, const std::string &block) {
    int64_t count = 0;
    while (source.has(block + "transformer_blocks." + std::to_string(count) + ".norm1.weight"))
        count++;
    return count;
}

} // namespace

LdmLayout::LdmLayout(const WeightSource &source, const std::string &prefix) : prefix_(prefix) {
    read_input_blocks(source);
    if (levels_.empty() || !levels_.front().layers)
        throw Error(AIANIME_BAD_DATA, source.description() + ": the tensors " + prefix + "input_blocks... are incomplete");
    blocks_["middle_block.0."] = "mid_block.resnets.0.";
    blocks_["middle_block.1."] = "mid_block.attentions.0.";
    blocks_["middle_block.2."] = "mid_block.resnets.1.";
    read_output_blocks(source);
}

void LdmLayout::read_input_blocks(const WeightSource &source) {
    levels_.emplace_back();
    for (int i = 1;; i++) {
        const std::string block = "input_blocks." + std::to_string(i) + ".";
        const std::string down = "down_blocks." + std::to_string(levels_.size() - 1) + ".";
        LdmLevel &level = levels_.back();
        if (source.has(prefix_ + block + "0.op.weight")) {
            blocks_[block + "0."] = down + "downsamplers.0.";
            levels_.emplace_back();
        } else if (source.has(prefix_ + block + "0.in_layers.2.weight")) {
            const std::string layer = std::to_string(level.layers++) + ".";
            level.channels = source.shape(prefix_ + block + "0.in_layers.2.weight").front();
            level.transformer_layers = count_transformer_layers(source, prefix_ + block + "1.");
            blocks_[block + "0."] = down + "resnets." + layer;
            blocks_[block + "1."] = down + "attentions." + layer;
        } else {
            return;
        }
    }
}

void LdmLayout::read_output_blocks(const WeightSource &source) {
    int number = 0;
    for (size_t i = 0; i < levels_.size(); i++) {
        const std::string up = "up_blocks." + std::to_string(i) + ".";
        for (int64_t layer = 0; layer <= levels_[levels_.size() - 1 - i].layers; layer++) {
            const std::string block = "output_blocks." + std::to_string(number++) + ".";
            blocks_[block + "0."] = up + "resnets." + std::to_string(layer) + ".";
            // The upsampler comes last, behind the attention where there is one.
            const bool attention = source.has(prefix_ + block + "1.norm.weight");
            if (attention)
                blocks_[block + "1."] = up + "attentions." + std::to_string(layer) + ".";
            blocks_[block + (attention ? "2." : "1.")] = up + "upsamplers.0.";
        }
    }
}

std::string LdmLayout::diffusers_name(const std::string &name) const {
    const std::string bare = starts_with(name, prefix_) ? name.substr(prefix_.size()) : name;
    const std::string single = renamed(bare, single_layers);
    if (single != bare)
        return single;
    for (int parts : {3, 2}) {
        const std::string block = first_parts(bare, parts);
        const auto found = blocks_.find(block);
        if (block.empty() || found == blocks_.end())
            continue;
        std::string rest = bare.substr(block.size());
        if (starts_with(rest, "op."))
            rest = "conv." + rest.substr(3);
        return found->second + renamed(rest, resnet_layers);
    }
    return control_name(bare);
}

std::map<std::string, WeightView> ldm_views(const WeightSource &source, const LdmLayout &layout) {
    std::map<std::string, WeightView> views;
    for (const std::string &name : source.names())
        if (starts_with(name, layout.prefix()))
            views[layout.diffusers_name(name)] = {name, source.shape(name)};
    return views;
}

} // namespace aianime::nn
