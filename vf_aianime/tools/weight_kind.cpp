// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/weight_kind.h"

#include <algorithm>
#include <string>

namespace aianime::tools {

namespace {

constexpr const char *part = "loads as a part of a pack or diffusers folder, with the config.json beside it";
constexpr const char *single = "does not load yet: save it as a diffusers folder first (docs/models.md)";
constexpr const char *not_yet = "does not load yet";

struct Marker {
    const char *piece; // of a tensor's name; a leading ^ ties it to the name's begin
    WeightKind kind;
};

// The first that fits counts: what adds to a network comes before the network whose names it repeats.
constexpr Marker markers[] = {
    {"lora_down", {"LoRA", not_yet}},
    {"lora_A", {"LoRA, PEFT names", not_yet}},
    {"hada_w1", {"LoHa", not_yet}},
    {"lokr_w1", {"LoKr", not_yet}},
    {"motion_modules.", {"AnimateDiff motion module", not_yet}},
    {"^ip_adapter.", {"IP-Adapter", not_yet}},
    {"^image_proj.", {"IP-Adapter", not_yet}},
    {"^emb_params", {"textual inversion embedding", not_yet}},
    {"^conditioner.embedders.", {"whole checkpoint in one file, Stable Diffusion XL", not_yet}},
    {"^cond_stage_model.model.", {"whole checkpoint in one file, Stable Diffusion 2", not_yet}},
    {"^cond_stage_model.transformer.", {"whole checkpoint in one file, Stable Diffusion 1", single}},
    {"^control_model.", {"ControlNet, original names", single}},
    {"^model.diffusion_model.", {"U-Net, original names", single}},
    {"^first_stage_model.", {"autoencoder, original names", single}},
    {"^encoder.down.", {"autoencoder, original names", single}},
    {"^controlnet_cond_embedding.", {"ControlNet, diffusers names", part}},
    {"^add_embedding.", {"U-Net of Stable Diffusion XL, diffusers names", not_yet}},
    {"^conv_norm_out.", {"U-Net, diffusers names", part}},
    {"^encoder.down_blocks.", {"autoencoder (AutoencoderKL), diffusers names", part}},
    {"^encoder.layers.", {"tiny autoencoder (AutoencoderTiny), diffusers names", part}},
    {"^text_model.", {"CLIP text encoder", part}},
    {"^vision_model.", {"CLIP vision encoder", not_yet}},
};

bool has_piece(const std::string &name, const std::string &piece) {
    if (piece[0] == '^')
        return name.compare(0, piece.size() - 1, piece, 1) == 0;
    return name.find(piece) != std::string::npos;
}

} // namespace

WeightKind weight_kind(const io::SafetensorsFile &file) {
    for (const Marker &marker : markers)
        for (const auto &[name, info] : file.tensors())
            if (has_piece(name, marker.piece))
                return marker.kind;
    return {"unknown", "nothing here reads it"};
}

} // namespace aianime::tools
