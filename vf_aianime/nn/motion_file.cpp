// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/motion_file.h"

#include <algorithm>
#include <filesystem>

#include "io/error.h"
#include "io/json.h"
#include "nn/config_reader.h"

namespace aianime::nn {

namespace {

constexpr const char *modules_part = ".motion_modules.";
// Of files that leave the table out: AnimateLCM's, and those of AnimateDiff's later training code.
constexpr int64_t animatelcm_positions = 64;
constexpr int64_t usual_positions = 32;
constexpr int64_t max_positions = 1024;
constexpr size_t max_levels = 8;

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

void replace(std::string &text, const std::string &before, const std::string &after) {
    const size_t at = text.find(before);
    if (at != std::string::npos)
        text.replace(at, before.size(), after);
}

// Where the name of the U-Net's block begins: what stands before it ("module.", "unet.") is of no interest.
size_t block_start(const std::string &name, size_t modules) {
    for (const char *block : {"down_blocks.", "mid_block.", "up_blocks."}) {
        const size_t at = name.rfind(block, modules);
        if (at != std::string::npos && (at == 0 || name[at - 1] == '.'))
            return at;
    }
    return std::string::npos;
}

[[noreturn]] void refuse(const WeightSource &source, const std::string &why) {
    throw Error(AIANIME_BAD_DATA, source.description() + ": " + why);
}

// Files that hold motion modules and something without which those do not work.
void refuse_relatives(const WeightSource &source) {
    for (const std::string &name : source.names()) {
        if (contains(name, "controlnet_cond_embedding."))
            refuse(source,
                   "this is a SparseCtrl, a control network with motion modules, which is not supported; use an AnimateDiff "
                   "motion module with a ControlNet 1.1");
        if (contains(name, "temporal_attentions.") || ends_with(name, "pos_encoder.positional_encoding"))
            refuse(source,
                   "this is a HotShot-XL motion module for Stable Diffusion XL; only motion modules for Stable Diffusion 1.5 "
                   "are supported");
        if (contains(name, "img_encoder.") ||
            (ends_with(name, "conv_in.weight") && source.shape(name).size() == 4 && source.shape(name)[1] == 9))
            refuse(source,
                   "this motion module starts from a picture (PIA, AnimateLCM-I2V), which is not supported; use AnimateDiff "
                   "v1, v2, v3 or AnimateLCM text-to-video");
        if (contains(name, modules_part) && contains(name, "lora"))
            refuse(source, "this is a motion LoRA, not a motion module; name it as a LoRA beside an AnimateDiff v2 motion module");
    }
}

std::map<std::string, WeightView> motion_views(const WeightSource &source) {
    std::map<std::string, WeightView> views;
    for (const std::string &stored : source.names()) {
        const std::string name = motion_name(stored);
        if (name.empty())
            continue;
        if (!views.insert({name, {stored, source.shape(stored)}}).second)
            refuse(source, name + " is there twice, once as " + stored);
    }
    if (views.empty())
        refuse(source, "there is no motion module in it; the names of one contain \"motion_modules\"");
    return views;
}

// "down_blocks.0.motion_modules.1" of a longer name.
std::string layer_name(const std::string &name) {
    const size_t modules = name.find(modules_part);
    return name.substr(0, name.find('.', modules + std::char_traits<char>::length(modules_part)));
}

void read_shapes(const WeightSource &source, MotionConfig &config) {
    config.stored_positions = false;
    for (const std::string &name : source.names()) {
        const std::vector<int64_t> shape = source.shape(name);
        MotionLayerConfig &layer = config.layers[layer_name(name)];
        if (ends_with(name, ".norm.weight") && shape.size() == 1)
            layer.channels = shape[0];
        if (ends_with(name, ".norm1.weight"))
            layer.blocks++;
        if (!ends_with(name, ".pos_embed.pe"))
            continue;
        if (shape.size() != 3 || shape[1] < 1 || shape[1] > max_positions || (config.positions && config.positions != shape[1]))
            refuse(source, name + ": the position tables are not of one length");
        config.positions = shape[1];
        config.stored_positions = true;
    }
    for (const auto &[name, layer] : config.layers)
        if (!layer.channels || !layer.blocks)
            refuse(source, name + " has no norm or no transformer block; the file is incomplete");
    if (!config.positions)
        config.positions = config.has_mid_block() ? animatelcm_positions : usual_positions;
}

size_t level_count(const MotionConfig &config) {
    size_t levels = 0;
    while (levels < max_levels && config.layers.count("down_blocks." + std::to_string(levels) + ".motion_modules.0"))
        levels++;
    return levels;
}

// What a MotionAdapter's config.json says that shapes do not. Its norm_num_groups is the U-Net's for diffusers, too.
void read_config(const std::string &path, const WeightSource &source, MotionConfig &config) {
    ConfigReader reader(io::Json::load(path));
    const size_t levels = std::max<size_t>(1, level_count(config));
    const std::vector<int64_t> heads = reader.per_level("motion_num_attention_heads", 8, levels, 1, max_positions);
    for (auto &[name, layer] : config.layers)
        layer.heads = heads.back(); // the middle's are the last level's
    for (size_t level = 0; level < levels; level++) {
        const std::string down = "down_blocks." + std::to_string(level) + ".";
        const std::string up = "up_blocks." + std::to_string(levels - 1 - level) + ".";
        for (auto &[name, layer] : config.layers)
            if (name.rfind(down, 0) == 0 || name.rfind(up, 0) == 0)
                layer.heads = heads[level];
    }
    const int64_t positions = reader.integer("motion_max_seq_length", 32, 1, max_positions);
    if (!config.stored_positions)
        config.positions = positions;
    else if (positions != config.positions)
        refuse(source, "config.json: motion_max_seq_length is not the length of the position tables");
}

} // namespace

std::string MotionConfig::title() const {
    if (is_version_1())
        return "AnimateDiff v1";
    if (!has_mid_block())
        return "AnimateDiff v3";
    return stored_positions ? "AnimateDiff v2" : "AnimateLCM";
}

std::string motion_name(const std::string &stored) {
    const size_t modules = stored.find(modules_part);
    if (modules == std::string::npos)
        return "";
    const size_t start = block_start(stored, modules);
    if (start == std::string::npos)
        return "";
    std::string name = stored.substr(start);
    static constexpr const char *renamed[][2] = {{".temporal_transformer.", "."},
                                                 {".attention_blocks.0.", ".attn1."},
                                                 {".attention_blocks.1.", ".attn2."},
                                                 {".norms.0.", ".norm1."},
                                                 {".norms.1.", ".norm2."},
                                                 {".ff_norm.", ".norm3."}};
    for (const auto &[before, after] : renamed)
        replace(name, before, after);
    // Both attentions of a block have the same table.
    const size_t table = name.find(".pos_encoder.");
    if (table != std::string::npos && (ends_with(name, ".pe") || ends_with(name, ".pos_encoding")))
        return contains(name, ".attn2.") ? "" : name.substr(0, table - std::char_traits<char>::length(".attn1")) + ".pos_embed.pe";
    return name;
}

MotionFile open_motion_file(const std::string &path) {
    std::error_code error;
    const bool folder = std::filesystem::is_directory(path, error);
    const WeightSource stored = folder ? WeightSource::from_folder(path) : WeightSource::from_file(path);
    refuse_relatives(stored);
    MotionFile file{stored.renamed(motion_views(stored)), {}};
    read_shapes(file.source, file.config);
    if (folder && std::filesystem::exists(path + "/config.json", error))
        read_config(path + "/config.json", file.source, file.config);
    return file;
}

} // namespace aianime::nn
