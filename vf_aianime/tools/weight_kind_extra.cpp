// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "tools/weight_keys.h"

namespace aianime::tools {

namespace {

constexpr const char *version_1 = "bases of Stable Diffusion 1";

// --- IP-Adapters ------------------------------------------------------------------------------------------------------

WeightKind adapter(const std::string &kind, const std::string &dialect, int64_t text_width, bool big_tower) {
    const std::string family = family_of_width(text_width);
    if (text_width == 2048)
        return {kind, dialect, "not read: it is for Stable Diffusion XL; those for Stable Diffusion 1 and 2 are"};
    return {kind, dialect,
            (family.empty() ? "a base of its width" : "bases of " + family) + ", with the vision tower " +
                (big_tower ? "ViT-bigG/14" : "ViT-H/14")};
}

// `names`: what stands before the projection's names. Base adapters see what the tower gives at its end (1024 numbers with ViT-H,
// 1280 with ViT-bigG), the others its hidden states (1280 and 1664).
WeightKind ip_adapter(const WeightKeys &keys, const std::string &names, const std::string &dialect) {
    const auto there = [&](const char *name) { return keys.has(names + name); };
    const auto side = [&](const char *name, int number) { return keys.side({(names + name).c_str()}, number); };
    constexpr const char *face = "not read: it needs InsightFace's networks, which are noncommercial as it is itself";
    if (keys.has("ip_adapter.0.to_q_lora.down.weight") || there("perceiver_resampler.proj_in.weight"))
        return {"IP-Adapter FaceID", dialect, face};
    if (there("latents"))
        return adapter("IP-Adapter plus, " + std::to_string(side("latents", 1)) + " tokens", dialect, side("proj_out.weight", 0),
                       side("proj_in.weight", 1) == 1664);
    if (there("proj.3.weight"))
        return adapter("IP-Adapter full face", dialect, side("proj.3.weight", 0), side("proj.0.weight", 1) == 1664);
    if (there("proj.2.weight"))
        return {"IP-Adapter FaceID portrait", dialect, face};
    const int64_t width = side("norm.weight", 0);
    const std::string tokens = width ? ", " + std::to_string(side("proj.weight", 0) / width) + " tokens" : "";
    return adapter("IP-Adapter, base or light" + tokens, dialect, width, side("proj.weight", 1) == 1280);
}

std::optional<WeightKind> any_ip_adapter(const WeightKeys &keys) {
    if (keys.has_prefix("image_proj_model.") || keys.has_prefix("adapter_modules."))
        return ip_adapter(keys, "image_proj_model.", "names of the training code");
    if (keys.has_prefix("ip_adapter.") || keys.has_prefix("image_proj."))
        return ip_adapter(keys, "image_proj.", "");
    return {};
}

// --- motion -----------------------------------------------------------------------------------------------------------

const char *motion_title(const WeightKeys &keys, int64_t positions) {
    if (keys.has_piece("mid_block.motion_modules."))
        return positions ? "motion module, AnimateDiff v2" : "motion module, AnimateLCM";
    return positions == 24 ? "motion module, AnimateDiff v1" : "motion module, AnimateDiff v3";
}

std::optional<WeightKind> motion_module(const WeightKeys &keys) {
    if (keys.has_piece("temporal_attentions.") || keys.has_piece("pos_encoder.positional_encoding"))
        return WeightKind{"motion module, HotShot-XL", "", "not read: those of Stable Diffusion 1 are"};
    if (!keys.has_piece("motion_modules."))
        return {};
    const std::string dialect = keys.has_piece(".temporal_transformer.") ? "AnimateDiff" : "diffusers MotionAdapter";
    if (keys.has_piece("controlnet_cond_embedding.") || keys.has_piece("input_hint_block."))
        return WeightKind{"SparseCtrl", dialect, "not read: a motion module with a ControlNet is"};
    if (keys.has_piece("img_encoder.") || keys.side({"conv_in.weight"}, 1) == 9)
        return WeightKind{"motion module that starts from a picture (PIA, AnimateLCM-I2V)", dialect, "not read: AnimateDiff is"};
    if (!keys.has_piece("up_blocks.3.") && keys.has_piece("up_blocks.2."))
        return WeightKind{"motion module of Stable Diffusion XL", dialect, "not read: those of Stable Diffusion 1 are"};
    const int64_t positions = std::max(keys.side({"pos_encoder.pe"}, 1), keys.side({"pos_embed.pe"}, 1));
    return WeightKind{motion_title(keys, positions), dialect,
                      version_1 + (positions ? ", windows of at most " + std::to_string(positions) + " frames" : std::string())};
}

// --- embeddings -------------------------------------------------------------------------------------------------------

bool is_word(const std::string &name, const io::TensorInfo &info) {
    const bool wide = !info.shape.empty() && !family_of_width(info.shape.back()).empty();
    return wide && info.shape.size() <= 2 && name.find('.') == std::string::npos && name.find("weight") == std::string::npos;
}

std::optional<WeightKind> embedding(const WeightKeys &keys) {
    std::string dialect;
    if (keys.has("clip_g"))
        return WeightKind{"textual inversion of Stable Diffusion XL", "clip_l and clip_g",
                          "not read: those of Stable Diffusion 1 and 2 are"};
    if (keys.has("emb_params"))
        dialect = "emb_params";
    else if (keys.has_prefix("string_to_param.") || keys.has("*"))
        dialect = "string_to_param";
    else if (keys.tensors().size() == 1 && is_word(keys.tensors().begin()->first, keys.tensors().begin()->second))
        dialect = "its token as the name (diffusers)";
    else
        return {};
    int64_t width = 0, vectors = 1;
    for (const auto &[name, info] : keys.tensors())
        if (is_word(name, info) || name.rfind("string_to_param.", 0) == 0) {
            width = info.shape.empty() ? 0 : info.shape.back();
            vectors = info.shape.size() == 2 ? info.shape.front() : 1;
        }
    const std::string family = family_of_width(width);
    return WeightKind{"textual inversion, " + std::to_string(vectors) + (vectors == 1 ? " vector" : " vectors"), dialect,
                      family.empty() ? "text encoders of its width" : "bases of " + family + ", by its name in a prompt"};
}

// --- towers and annotators ----------------------------------------------------------------------------------------------

struct Network {
    const char *piece; // of a tensor's name
    const char *kind;
    const char *fits;
};

constexpr Network networks[] = {
    {"model2.0.conv_block.1.weight", "annotator lineart (sk_model)", "ControlNets on lines"},
    {"model.model.1.model.1.weight", "annotator lineart_anime (netG)", "ControlNets on anime lines"},
    {"block1.convs.0.weight", "annotator softedge (HED)", "ControlNets on soft edges"},
    {"pretrained.model.patch_embed.backbone.stem.conv.weight", "annotator depth (MiDaS DPT-Hybrid)", "ControlNets on depth"},
    {"dpt.embeddings.cls_token", "annotator depth (MiDaS DPT-Hybrid, transformers names)", "ControlNets on depth"},
    {"Mconv7_stage6_L2.weight", "annotator openpose (body)", "ControlNets on poses"},
    {"extra.7.weight", "face detector (SSD on MobileNet)", "the other built-in face networks"},
    {"dense3.conv3.depthwise.weight", "face landmarks or expression", "the other built-in face networks"},
    {"fc.age.weight", "face age and gender", "the other built-in face networks, and heads of `aianime train attributes`"},
    {"conv256_down_out.conv1.weight", "face recognition (ResNet, 128 numbers)", "the other built-in face networks"},
    {"trunk.exit_flow.separable_conv.depthwise.weight", "face attribute with features of its own", "the built-in face networks"},
    {"language_model.model.decoder.", "BLIP-2 captioner with OPT, or a shard of it", "auto_caption blip2, as its whole folder"},
    {"language_model.encoder.block.", "BLIP-2 captioner with T5, or a shard of it", "not read: those with OPT are"},
    {"vision_model.encoder.layers.0.self_attn.qkv.", "BLIP-2 captioner, a shard of it", "auto_caption blip2, if it has OPT"},
};

std::optional<WeightKind> optical_flow(const WeightKeys &keys) {
    const bool original = keys.has_piece("fnet.conv1.weight");
    if (!original && !keys.has_piece("feature_encoder.convnormrelu.0.weight"))
        return {};
    const bool large = keys.has_piece("mask_predictor.conv.weight") || keys.has_piece("update_block.mask.2.weight");
    return WeightKind{std::string("optical flow (RAFT), ") + (large ? "large" : "small"),
                      original ? "original names" : "torchvision's names", "any base, as flow_model of a template"};
}

std::optional<WeightKind> network(const WeightKeys &keys) {
    if (keys.tensors().size() == 2 && keys.has("head.bias") && keys.side({"head.weight"}, 1) == 512)
        return WeightKind{"face attribute", "", "the age and gender network it was trained on"};
    for (const Network &candidate : networks)
        if (keys.has_piece(candidate.piece))
            return WeightKind{candidate.kind, "", candidate.fits};
    return {};
}

// What timm's networks end in tells a tagger from other classifiers: as many numbers as a WD tagger v3 has tags.
std::optional<WeightKind> tagger(const WeightKeys &keys) {
    constexpr int64_t wd_tags = 10861;
    const int64_t tags = std::max(keys.side({"head.weight"}, 0), keys.side({"head.fc.weight"}, 0));
    if (!tags)
        return {};
    const std::string count = ", " + std::to_string(tags) + " tags";
    if (keys.has("patch_embed.proj.weight") && keys.has("pos_embed") && keys.has("blocks.0.attn.qkv.weight"))
        return keys.has("cls_token") ? WeightKind{"image classifier on a vision transformer", "timm", "not read"}
                                     : WeightKind{"WD tagger on a vision transformer" + count, "timm",
                                                  "captioner \"wd\", with selected_tags.csv beside it"};
    if (tags != wd_tags)
        return {};
    const std::string body = keys.has_piece("attn.logit_scale")                                           ? " on SwinV2"
                             : keys.has_piece("conv_dw.weight")                                           ? " on ConvNeXt"
                             : keys.has_piece("attn.q_proj.weight") || keys.has_piece("mlp.fc1_g.weight") ? " on EVA02"
                                                                                                          : "";
    return WeightKind{"WD tagger" + body + count, "timm", "not read: wd-vit-tagger-v3 and wd-vit-large-tagger-v3 are"};
}

std::optional<WeightKind> clip_vision(const WeightKeys &keys) {
    const bool open_clip = keys.has_prefix("visual.transformer.resblocks.");
    if (!open_clip && !keys.has_prefix("vision_model."))
        return {};
    const std::string dialect = open_clip ? "OpenCLIP" : "transformers";
    if (keys.has_prefix("text_model."))
        return WeightKind{"CLIP, text and vision towers", dialect, "captioner \"clip\", in a folder with its config.json"};
    const int64_t width = keys.side({"class_embedding"}, -1);
    const std::string tower = width == 1280 ? " ViT-H/14" : width == 1664 ? " ViT-bigG" : width == 1024 ? " ViT-L/14" : "";
    return WeightKind{"CLIP vision tower" + tower, dialect,
                      open_clip       ? "not read: the file in transformers' names is"
                      : width == 1664 ? "not read"
                                      : "IP-Adapters"};
}

} // namespace

std::optional<WeightKind> extra_kind(const WeightKeys &keys) {
    for (const auto &kind : {any_ip_adapter, motion_module, embedding, optical_flow, network, tagger, clip_vision})
        if (const std::optional<WeightKind> found = kind(keys))
            return found;
    return {};
}

} // namespace aianime::tools
