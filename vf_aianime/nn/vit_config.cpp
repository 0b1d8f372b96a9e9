// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/vit_config.h"

#include <cmath>
#include <regex>

#include "io/error.h"
#include "nn/config_reader.h"

namespace aianime::nn {

namespace {

struct Size {
    const char *name;
    int64_t width, depth, heads;
};

// timm/models/vision_transformer.py
constexpr Size sizes[] = {{"tiny", 192, 12, 3}, {"small", 384, 12, 6}, {"base", 768, 12, 12}, {"large", 1024, 24, 16}};

constexpr int64_t largest_side = 4096;

[[noreturn]] void refuse(const io::Json &value, const std::string &why) {
    throw Error(AIANIME_BAD_DATA, value.where() + ": " + why);
}

// One number or the same one twice, as timm writes sizes.
int64_t side_of(const io::Json &value, int64_t fallback) {
    if (value.is_null())
        return fallback;
    if (!value.is_array())
        return value.integer(1, largest_side);
    const int64_t side = value.size() ? value.at(size_t{0}).integer(1, largest_side) : 0;
    if (value.size() != 2 || value.at(1).integer(1, largest_side) != side)
        refuse(value, "pictures and patches are square here");
    return side;
}

std::array<double, 3> three_numbers(const io::Json &value, double min) {
    if (value.size() != 3)
        refuse(value, "expected three numbers, for red, green and blue");
    return {value.at(size_t{0}).number(min, 1), value.at(1).number(min, 1), value.at(2).number(min, 1)};
}

bool has(const io::Json &json, const char *key) { return json.has(key) && !json.at(key).is_null(); }

// Settings of timm's network that change nothing in what it computes, or only while it is trained.
const std::vector<std::string> without_influence = {"drop_rate",      "pos_drop_rate",  "patch_drop_rate", "proj_drop_rate",
                                                    "attn_drop_rate", "drop_path_rate", "weight_init",     "fix_init"};

} // namespace

VitConfig::VitConfig(const io::Json &json) {
    read_architecture(json);
    classes = json.at("num_classes").integer(1, 1 << 20);
    if (has(json, "global_pool"))
        ConfigReader(json).require("global_pool", "avg");
    const io::Json arguments = has(json, "model_args") ? json.at("model_args") : io::Json::parse("{}", json.where());
    read_arguments(arguments);
    if (has(json, "pretrained_cfg"))
        read_preparation(json.at("pretrained_cfg"), has(arguments, "img_size"));
    if (image_size % patch_size)
        refuse(json, "the picture's side of " + std::to_string(image_size) + " is not a multiple of the patch's, " +
                         std::to_string(patch_size));
}

void VitConfig::read_architecture(const io::Json &json) {
    const io::Json value = json.at("architecture");
    const std::string name = value.string();
    std::smatch parts;
    if (std::regex_match(name, parts, std::regex("vit_([a-z]{1,8})_patch([0-9]{1,3})_([0-9]{1,4})")))
        for (const Size &size : sizes)
            if (parts[1] == size.name) {
                width = size.width;
                depth = size.depth;
                heads = size.heads;
                patch_size = std::stoll(parts[2]);
                image_size = std::stoll(parts[3]);
                if (patch_size && image_size)
                    return;
            }
    refuse(value, "the architecture " + io::quoted(name) +
                      " is not read; of the WD taggers those on a plain vision transformer are, wd-vit-tagger-v3 and "
                      "wd-vit-large-tagger-v3");
}

void VitConfig::read_arguments(const io::Json &arguments) {
    ConfigReader reader(arguments);
    reader.ignore(without_influence);
    reader.ignore({"img_size", "patch_size", "num_classes"});
    if (has(arguments, "img_size"))
        image_size = side_of(arguments.at("img_size"), image_size);
    if (has(arguments, "patch_size"))
        patch_size = side_of(arguments.at("patch_size"), patch_size);
    if (has(arguments, "num_classes") && arguments.at("num_classes").integer(1, 1 << 20) != classes)
        reader.refuse("num_classes", "it is " + std::to_string(classes) + " above");
    width = reader.integer("embed_dim", width, 1, 1 << 14);
    depth = reader.integer("depth", depth, 1, 256);
    heads = reader.integer("num_heads", heads, 1, width);
    hidden = std::llround(std::floor(static_cast<double>(width) * reader.number("mlp_ratio", 4, 0.01, 64)));
    if (width % heads)
        reader.refuse("num_heads", "embed_dim " + std::to_string(width) + " is not a multiple of it");
    reader.require("in_chans", 3.0);
    for (const char *key : {"qkv_bias", "proj_bias", "final_norm"})
        reader.require(key, true);
    for (const char *key : {"qk_norm", "scale_attn_norm", "scale_mlp_norm", "pre_norm", "dynamic_img_size", "dynamic_img_pad"})
        reader.require(key, false);
    reader.require("reg_tokens", 0.0);
    reader.require("pos_embed", "learn");
    // Without them timm adds a class token and looks at it alone.
    if (!has(arguments, "class_token") || arguments.at("class_token").boolean())
        reader.refuse("class_token", "only false is supported");
    reader.boolean("class_token", false);
    reader.require("global_pool", "avg");
    reader.ignore({"no_embed_class", "pool_include_prefix"}); // of class tokens
    norm_before_mean = !reader.boolean("fc_norm", true);
    reader.choice("norm_layer", "layernorm", {"layernorm", "layer_norm", "LayerNorm"});
    tanh_gelu = reader.choice("act_layer", "gelu", {"gelu", "gelu_tanh"}) == "gelu_tanh";
    reader.check_rest();
}

void VitConfig::read_preparation(const io::Json &settings, bool image_size_given) {
    ConfigReader reader(settings);
    reader.require("interpolation", "bicubic");
    reader.require("crop_pct", 1.0);
    if (has(settings, "input_size")) {
        const io::Json size = settings.at("input_size");
        if (size.size() != 3 || size.at(size_t{0}).integer(1, largest_side) != 3)
            refuse(size, "expected [3, height, width]");
        if (!image_size_given)
            image_size = size.at(1).integer(1, largest_side);
        if (size.at(1).integer(1, largest_side) != image_size || size.at(2).integer(1, largest_side) != image_size)
            refuse(size, "the network sees " + std::to_string(image_size) + "x" + std::to_string(image_size));
    }
    if (has(settings, "mean"))
        mean = three_numbers(settings.at("mean"), 0);
    if (has(settings, "std"))
        deviation = three_numbers(settings.at("std"), 1e-3);
}

} // namespace aianime::nn
