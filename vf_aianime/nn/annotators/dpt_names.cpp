// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/dpt_names.h"

#include <map>

namespace aianime::nn {

namespace {

// From transformers' names; parts of names, applied in this order.
constexpr const char *renamed[][2] = {
    {"dpt.embeddings.backbone.bit.embedder.convolution.", "pretrained.model.patch_embed.backbone.stem.conv."},
    {"dpt.embeddings.backbone.bit.embedder.", "pretrained.model.patch_embed.backbone.stem."},
    {"dpt.embeddings.backbone.bit.encoder.", "pretrained.model.patch_embed.backbone."},
    {"dpt.embeddings.projection.", "pretrained.model.patch_embed.proj."},
    {"dpt.embeddings.position_embeddings", "pretrained.model.pos_embed"},
    {"dpt.embeddings.", "pretrained.model."},
    {"dpt.encoder.layer.", "pretrained.model.blocks."},
    {"dpt.layernorm.", "pretrained.model.norm."},
    {".attention.attention.query.", ".attn.q."},
    {".attention.attention.key.", ".attn.k."},
    {".attention.attention.value.", ".attn.v."},
    {".attention.output.dense.", ".attn.proj."},
    {".intermediate.dense.", ".mlp.fc1."},
    {".output.dense.", ".mlp.fc2."},
    {".layernorm_before.", ".norm1."},
    {".layernorm_after.", ".norm2."},
    {"neck.reassemble_stage.layers.2.projection.", "pretrained.act_postprocess3.3."},
    {"neck.reassemble_stage.layers.3.projection.", "pretrained.act_postprocess4.3."},
    {"neck.reassemble_stage.layers.3.resize.", "pretrained.act_postprocess4.4."},
    {"neck.reassemble_stage.readout_projects.2.0.", "pretrained.act_postprocess3.0.project.0."},
    {"neck.reassemble_stage.readout_projects.3.0.", "pretrained.act_postprocess4.0.project.0."},
    {"neck.convs.0.", "scratch.layer1_rn."},
    {"neck.convs.1.", "scratch.layer2_rn."},
    {"neck.convs.2.", "scratch.layer3_rn."},
    {"neck.convs.3.", "scratch.layer4_rn."},
    {"neck.fusion_stage.layers.0.", "scratch.refinenet4."},
    {"neck.fusion_stage.layers.1.", "scratch.refinenet3."},
    {"neck.fusion_stage.layers.2.", "scratch.refinenet2."},
    {"neck.fusion_stage.layers.3.", "scratch.refinenet1."},
    {".residual_layer1.convolution", ".resConfUnit1.conv"},
    {".residual_layer2.convolution", ".resConfUnit2.conv"},
    {"head.head.", "scratch.output_conv."},
};

void replace(std::string &name, const std::string &from, const std::string &to) {
    const size_t at = name.find(from);
    if (at != std::string::npos)
        name.replace(at, from.size(), to);
}

std::string from_transformers(std::string name) {
    for (const auto &[from, to] : renamed)
        replace(name, from, to);
    if (name.find(".blocks.") == std::string::npos && name.find("patch_embed.backbone.stages.") != std::string::npos)
        replace(name, ".layers.", ".blocks.");
    if (name.rfind("scratch.refinenet", 0) == 0)
        replace(name, ".projection.", ".out_conv.");
    return name;
}

} // namespace

WeightSource dpt_names(const WeightSource &source) {
    const bool is_transformers = source.has("dpt.embeddings.cls_token");
    std::map<std::string, WeightView> views;
    for (const std::string &stored : source.names()) {
        const std::vector<int64_t> shape = source.shape(stored);
        if (shape.empty())
            continue;
        const std::string name = is_transformers ? from_transformers(stored) : stored;
        const size_t together = name.find(".attn.qkv.");
        if (together == std::string::npos || shape[0] % 3 != 0) {
            views[name] = {stored, shape};
            continue;
        }
        std::vector<int64_t> third = shape;
        third[0] /= 3;
        for (int64_t i = 0; i < 3; i++) {
            std::string apart = name;
            apart.replace(together, std::string(".attn.qkv.").size(), std::string(".attn.") + "qkv"[i] + ".");
            views[apart] = {stored, third, i * third[0]};
        }
    }
    return source.renamed(views);
}

} // namespace aianime::nn
