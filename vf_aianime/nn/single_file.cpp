// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/single_file.h"

#include "io/error.h"
#include "nn/ldm_layout.h"
#include "nn/ldm_text.h"
#include "nn/shape_config.h"
#include "nn/taesd_names.h"

namespace aianime::nn {

namespace {

// Prefixes a network may have: that of a whole checkpoint, or none where the file holds nothing else.
std::optional<std::string> find_prefix(const WeightSource &source, const std::vector<std::string> &prefixes,
                                       const std::string &first) {
    for (const std::string &prefix : prefixes)
        if (source.has(prefix + first))
            return prefix;
    return {};
}

// A U-Net or a ControlNet in the original code's names.
Component ldm_network(const WeightSource &source, const std::string &prefix) {
    WeightSource renamed = source.renamed(ldm_views(source, LdmLayout(source, prefix)));
    io::Json config = unet_config(renamed);
    return {std::move(renamed), std::move(config)};
}

void refuse_other_families(const WeightSource &source) {
    const auto refuse = [&](const char *family) {
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + family +
                                          "; supported are Stable Diffusion 1.x and 2.x, and models fine-tuned from them");
    };
    for (const std::string &name : source.names()) {
        if (name.rfind("conditioner.embedders.", 0) == 0 || name.find("label_emb.0.0.weight") != std::string::npos ||
            name == "add_embedding.linear_1.weight")
            refuse("a Stable Diffusion XL file");
        if (name.find("joint_blocks.0.") != std::string::npos)
            refuse("a Stable Diffusion 3 file");
        if (name.find("double_blocks.0.") != std::string::npos)
            refuse("a Flux file");
    }
}

} // namespace

SingleFile::SingleFile(const std::string &path) : source_(with_taesd_partner(WeightSource::from_file(path), path)) {
    refuse_other_families(source_);
}

std::optional<Component> SingleFile::unet() const {
    const auto prefix = find_prefix(source_, {"model.diffusion_model.", ""}, "output_blocks.0.0.in_layers.0.weight");
    return prefix ? std::optional(ldm_network(source_, *prefix)) : std::nullopt;
}

std::optional<Component> SingleFile::controlnet() const {
    if (source_.has("controlnet_cond_embedding.conv_in.weight"))
        return Component{source_, unet_config(source_)};
    const auto prefix = find_prefix(source_, {"control_model.", ""}, "input_hint_block.0.weight");
    return prefix ? std::optional(ldm_network(source_, *prefix)) : std::nullopt;
}

std::optional<Component> SingleFile::vae() const {
    if (const auto tiny = taesd_views(source_); !tiny.empty()) {
        WeightSource renamed = source_.renamed(tiny);
        io::Json config = tiny_autoencoder_config(renamed);
        return Component{std::move(renamed), std::move(config)};
    }
    if (source_.has("encoder.down_blocks.0.resnets.0.norm1.weight"))
        return Component{source_, autoencoder_config(source_)};
    const auto prefix = find_prefix(source_, {"first_stage_model.", ""}, "encoder.down.0.block.0.norm1.weight");
    if (!prefix)
        return {};
    WeightSource renamed = source_.renamed(ldm_vae_views(source_, *prefix));
    io::Json config = autoencoder_config(renamed);
    return Component{std::move(renamed), std::move(config)};
}

std::optional<Component> SingleFile::text_encoder() const {
    const auto views = text_encoder_views(source_);
    if (views.empty())
        return {};
    WeightSource renamed = source_.renamed(views);
    io::Json config = text_encoder_config(renamed, is_version_2());
    return Component{std::move(renamed), std::move(config)};
}

bool SingleFile::is_version_2() const { return has_open_clip(source_); }

} // namespace aianime::nn
