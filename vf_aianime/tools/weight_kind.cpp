// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/weight_kind.h"

#include "tools/weight_keys.h"

namespace aianime::tools {

namespace {

constexpr const char *not_read_family = "not read: Stable Diffusion 1 and 2 are, and models fine-tuned from them";

// The U-Net's family by the text it sees, wherever its names begin.
std::string unet_family(const WeightKeys &keys) { return family_of_width(keys.side({"attn2.to_k.weight"}, -1)); }

std::string with_space(const std::string &family) { return family.empty() ? "" : ", " + family; }

std::optional<WeightKind> other_family(const WeightKeys &keys) {
    if (keys.has_prefix("conditioner.embedders."))
        return WeightKind{"base checkpoint, Stable Diffusion XL", "single file", not_read_family};
    if (keys.has_piece("joint_blocks.0."))
        return WeightKind{"Stable Diffusion 3", "", not_read_family};
    if (keys.has_piece("double_blocks.0."))
        return WeightKind{"Flux", "", not_read_family};
    return {};
}

// A whole base in one file: which text encoder it carries tells the family best.
std::optional<WeightKind> checkpoint(const WeightKeys &keys) {
    if (!keys.has_prefix("model.diffusion_model.") && !keys.has_prefix("cond_stage_model."))
        return {};
    std::string kind = "base checkpoint", dialect = "single file", fits = "the base of a template";
    const int64_t channels = keys.side({"model.diffusion_model.input_blocks.0.0.weight"}, 1);
    if (keys.has_prefix("cond_stage_model.model.")) {
        kind += ", Stable Diffusion 2";
    } else if (keys.has_prefix("cond_stage_model.transformer.")) {
        kind += ", Stable Diffusion 1";
        dialect += keys.has_prefix("cond_stage_model.transformer.text_model.") ? "" : ", without text_model.";
    } else {
        kind = "U-Net" + with_space(unet_family(keys));
        fits = "a base that lacks its U-Net: it holds no text encoder";
    }
    if (channels > 4) {
        kind += ", for masked or edited pictures";
        fits = "not read: its U-Net has " + std::to_string(channels) + " input channels instead of 4";
    }
    dialect += keys.has_prefix("first_stage_model.") ? ", autoencoder inside" : ", no autoencoder";
    dialect += keys.has_prefix("model_ema.") ? ", EMA copies (skipped)" : "";
    return WeightKind{kind, dialect, fits};
}

std::optional<WeightKind> controlnet(const WeightKeys &keys) {
    std::string dialect;
    int64_t hint = 0;
    if (keys.has_piece("input_hint_block.")) {
        dialect = keys.has_prefix("control_model.") ? "original names, control_model." : "original names";
        hint = keys.side({"input_hint_block.0.weight"}, 1);
    } else if (keys.has_prefix("controlnet_cond_embedding.")) {
        dialect = "diffusers names";
        hint = keys.side({"controlnet_cond_embedding.conv_in.weight"}, 1);
    } else {
        return {};
    }
    const std::string family = unet_family(keys);
    if (family == "Stable Diffusion XL" || keys.has_piece("label_emb.") || keys.has_prefix("add_embedding."))
        return WeightKind{"ControlNet, Stable Diffusion XL", dialect, not_read_family};
    return WeightKind{hint == 6 ? "ControlNet on 6 channels (TemporalNet 2)" : "ControlNet" + with_space(family), dialect,
                      family.empty() ? "a base of its widths" : "bases of " + family};
}

std::optional<WeightKind> autoencoder(const WeightKeys &keys) {
    const std::string any = "any base of Stable Diffusion 1 and 2";
    if (keys.has_prefix("encoder.layers.") && keys.has_prefix("decoder.layers.") && !keys.has_piece("self_attn"))
        return WeightKind{"tiny autoencoder (TAESD)", "diffusers names", any};
    for (const char *prefix : {"", "taesd_"})
        if (keys.has(std::string(prefix) + "encoder.1.conv.0.weight") && keys.has(std::string(prefix) + "decoder.1.weight"))
            return WeightKind{"tiny autoencoder (TAESD)", "its own names", any};
    if (keys.has("0.weight") && keys.has("1.conv.0.weight"))
        return WeightKind{"tiny autoencoder (TAESD), encoder", "its own names", any + ", with its decoder beside it"};
    if (keys.has("1.weight") && keys.has("3.conv.0.weight"))
        return WeightKind{"tiny autoencoder (TAESD), decoder", "its own names", any + ", with its encoder beside it"};
    if (keys.has_prefix("encoder.down_blocks."))
        return WeightKind{"autoencoder",
                          keys.has_piece("attentions.0.query.") ? "diffusers names, old attention names" : "diffusers names", any};
    if (keys.has_prefix("first_stage_model.encoder.down."))
        return WeightKind{"autoencoder", "original names, first_stage_model.", any};
    if (keys.has_prefix("encoder.down."))
        return WeightKind{"autoencoder", "original names, bare", any};
    return {};
}

std::optional<WeightKind> unet(const WeightKeys &keys) {
    const bool original = keys.has_prefix("output_blocks.");
    if (!original && !keys.has_prefix("conv_norm_out."))
        return {};
    const std::string family = unet_family(keys), dialect = original ? "original names" : "diffusers names";
    if (family == "Stable Diffusion XL" || keys.has_prefix("add_embedding.") || keys.has_prefix("label_emb."))
        return WeightKind{"U-Net, Stable Diffusion XL", dialect, not_read_family};
    return WeightKind{"U-Net" + with_space(family), dialect,
                      original ? "a base that lacks its U-Net" : "a diffusers folder or a pack"};
}

std::optional<WeightKind> text_encoder(const WeightKeys &keys) {
    const bool open_clip = keys.has_piece("transformer.resblocks.") && keys.has_piece("token_embedding.weight");
    if (!open_clip && !keys.has_piece("embeddings.token_embedding.weight"))
        return {};
    const std::string dialect = open_clip                        ? "OpenCLIP names"
                                : keys.has_prefix("text_model.") ? "transformers names"
                                                                 : "transformers names, without text_model.";
    const std::string family = family_of_width(keys.side({"token_embedding.weight"}, -1));
    return WeightKind{"CLIP text encoder", dialect, family.empty() ? "a diffusers folder or a pack" : "bases of " + family};
}

} // namespace

WeightKind weight_kind(const io::SafetensorsFile &file) {
    const WeightKeys keys(file);
    // What adds to a network comes before the network whose names it repeats.
    for (const auto &kind : {other_family, lora_kind, extra_kind, checkpoint, controlnet, autoencoder, unet, text_encoder})
        if (const std::optional<WeightKind> found = kind(keys))
            return *found;
    return {"unknown", "", "not read"};
}

} // namespace aianime::tools
