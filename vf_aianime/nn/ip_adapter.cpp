// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/ip_adapter.h"

#include <map>
#include <utility>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/image_projection.h"
#include "nn/layers.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

// Keys and values of one cross-attention layer.
class KeysAndValues : public Module {
public:
    KeysAndValues(int64_t width, int64_t channels) : to_k_ip(width, channels, false), to_v_ip(width, channels, false) {
        child("to_k_ip", to_k_ip);
        child("to_v_ip", to_v_ip);
    }
    Linear to_k_ip, to_v_ip;
};

// Channels of a U-Net's cross-attention layers, part by part.
struct CrossLayers {
    std::vector<int64_t> down, mid, up;

    explicit CrossLayers(const UNetConfig &unet) {
        const size_t levels = unet.block_out_channels.size();
        const auto add = [&unet](std::vector<int64_t> &part, size_t level, int64_t blocks) {
            part.insert(part.end(), static_cast<size_t>(blocks * unet.transformer_layers[level]), unet.block_out_channels[level]);
        };
        for (size_t i = 0; i < levels; ++i)
            if (unet.down_block_types[i] == "CrossAttnDownBlock2D")
                add(down, i, unet.layers_per_block[i]);
        for (size_t i = 0; i < levels; ++i)
            if (unet.up_block_types[i] == "CrossAttnUpBlock2D")
                add(up, levels - 1 - i, unet.layers_per_block[levels - 1 - i] + 1);
        if (unet.mid_block && unet.mid_cross_attention)
            add(mid, levels - 1, 1);
    }
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

// The training code's names become those of the published files.
WeightSource read(const std::string &file) {
    const WeightSource source = WeightSource::from_file(file);
    std::map<std::string, WeightView> views;
    bool changed = false;
    for (const std::string &name : source.names()) {
        std::string published = name;
        for (const auto &[from, to] :
             {std::pair<std::string, std::string>{"image_proj_model.", "image_proj."}, {"adapter_modules.", "ip_adapter."}})
            if (starts_with(name, from))
                published = to + name.substr(from.size());
        changed = changed || published != name;
        views[published] = {name, source.shape(name)};
    }
    return changed ? source.renamed(views) : source;
}

// Widths of text by which families are told.
std::string family(int64_t width) {
    return width == 768 ? " (Stable Diffusion 1.x)" : width == 1024 ? " (Stable Diffusion 2.x)" : width == 2048 ? " (SDXL)" : "";
}

} // namespace

struct IpAdapter::Impl : Module {
    Impl(const WeightSource &source, const UNetConfig &unet)
        : file(source.description()), image_proj(ImageProjection::make(source)) {
        const int64_t width = image_proj->width(), wanted = unet.cross_attention_dim.back();
        if (width != wanted)
            throw Error(AIANIME_BAD_DATA, file + ": the IP-Adapter is made for U-Nets that take text of width " +
                                              std::to_string(width) + family(width) + ", this one takes " + std::to_string(wanted) +
                                              family(wanted));
        child("image_proj", *image_proj);
        const CrossLayers layers(unet);
        int64_t number = 1;
        for (auto [part, channels] : {std::pair{&down, &layers.down}, {&up, &layers.up}, {&mid, &layers.mid}})
            for (int64_t each : *channels) {
                part->push_back(std::make_unique<KeysAndValues>(width, each));
                // Even numbers stand for the self-attention layers between them.
                child("ip_adapter." + std::to_string(number), *part->back());
                number += 2;
            }
    }

    using Part = std::vector<std::unique_ptr<KeysAndValues>>;

    std::string file;
    std::unique_ptr<ImageProjection> image_proj;
    Part down, up, mid;        // in the file's order
    at::TensorOptions options; // of the weights
};

IpAdapter::IpAdapter(const std::string &file, const UNetConfig &unet, at::ScalarType dtype, at::Device device) {
    const WeightSource source = read(file);
    impl_ = std::make_unique<Impl>(source, unet);
    load(*impl_, source, dtype, device);
    impl_->options = at::TensorOptions(dtype).device(device);
}

IpAdapter::~IpAdapter() = default;

std::string IpAdapter::kind() const {
    const ImageProjection::Kind kind = impl_->image_proj->kind();
    return kind == ImageProjection::Kind::base ? "base" : kind == ImageProjection::Kind::plus ? "plus" : "full-face";
}

Module &IpAdapter::module() { return *impl_; }

void IpAdapter::check_tower(const ClipVision &tower) const {
    const ImageProjection &projection = *impl_->image_proj;
    const int64_t given = projection.kind() == ImageProjection::Kind::base ? tower.projection() : tower.width();
    if (given != projection.features())
        throw Error(AIANIME_BAD_DATA, impl_->file + ": the IP-Adapter looks through an image encoder whose features have width " +
                                          std::to_string(projection.features()) + ", the one given makes " + std::to_string(given) +
                                          "; most adapters go with CLIP-ViT-H-14, those named vit-G with CLIP-ViT-bigG-14");
}

at::Tensor IpAdapter::tokens(const ClipVision &tower, const at::Tensor &pictures, int64_t branches) const {
    const ImageProjection &projection = *impl_->image_proj;
    at::Tensor pixels = tower.preprocess(pictures);
    const bool embeddings = projection.kind() == ImageProjection::Kind::base, negative = branches > 1;
    if (negative && !embeddings)
        pixels = at::cat({at::zeros_like(pixels.slice(0, 0, 1)), pixels});
    const ClipVision::Features seen = tower.forward(pixels);
    at::Tensor features = embeddings ? seen.embedding : seen.penultimate;
    if (negative && embeddings)
        features = at::cat({at::zeros_like(features.slice(0, 0, 1)), features});

    const at::Tensor all = projection.forward(features.to(impl_->options));
    const int64_t count = pictures.size(0);
    const at::Tensor shown = all.slice(0, negative ? 1 : 0).flatten(0, 1).unsqueeze(0);
    return negative ? at::cat({all.slice(0, 0, 1).repeat({1, count, 1}), shown}) : shown;
}

ImagePrompt IpAdapter::prompt(const ClipVision &tower, const at::Tensor &pictures, int64_t branches,
                              const ImageScales &scales) const {
    check_tower(tower);
    const at::Tensor shown = tokens(tower, pictures, branches);
    ImagePrompt prompt;
    const auto add = [&](const Impl::Part &part, double scale) {
        for (const auto &layer : part)
            prompt.layers.push_back({layer->to_k_ip.forward(shown), layer->to_v_ip.forward(shown), scales.all * scale});
    };
    add(impl_->down, scales.down);
    add(impl_->mid, scales.mid);
    add(impl_->up, scales.up);
    return prompt;
}

} // namespace aianime::nn
