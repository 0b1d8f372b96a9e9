// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/lora_layers.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "io/error.h"
#include "io/safetensors_writer.h"
#include "nn/aten.h"
#include "nn/lora_keys.h"
#include "train/random.h"

namespace aianime::train {

namespace {

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Inside a transformer, or a layer of the text encoder.
bool is_attention(const std::string &name, LoraPart part) {
    return part == LoraPart::text ? name.rfind("encoder.layers.", 0) == 0 : contains(name, "attentions.");
}

bool is_convolution(const std::string &name) {
    return contains(name, "resnets.") || contains(name, "downsamplers.") || contains(name, "upsamplers.");
}

// Products are made in float32 whatever the forward pass uses.
class PlainPrecision {
public:
    explicit PlainPrecision(at::DeviceType device) : device_(device), was_on_(at::autocast::is_autocast_enabled(device)) {
        at::autocast::set_autocast_enabled(device_, false);
    }
    ~PlainPrecision() { at::autocast::set_autocast_enabled(device_, was_on_); }
    PlainPrecision(const PlainPrecision &) = delete;
    PlainPrecision &operator=(const PlainPrecision &) = delete;

private:
    at::DeviceType device_;
    bool was_on_;
};

struct Stored {
    at::ScalarType type;
    io::DType dtype;
};

Stored stored_as(LoraPrecision precision) {
    switch (precision) {
    case LoraPrecision::float16:
        return {at::kHalf, io::DType::f16};
    case LoraPrecision::bfloat16:
        return {at::kBFloat16, io::DType::bf16};
    case LoraPrecision::float32:
        break;
    }
    return {at::kFloat, io::DType::f32};
}

} // namespace

void LoraLayers::add(nn::Module &module, LoraPart part, const LoraShape &shape, uint64_t seed) {
    trainable(module, "", [](const std::string &) { return false; });
    module.call_loaded();
    modules_.push_back(&module);
    const std::string prefix = part == LoraPart::text ? "lora_te_text_model_" : "lora_unet_";
    const size_t before = layers_.size();
    module.visit([&](const std::string &tensor, at::Tensor &weight, const std::vector<int64_t> &sides) {
        if (sides.size() < 2 || !ends_with(tensor, ".weight"))
            return;
        const std::string name = prefix + nn::underscored(tensor.substr(0, tensor.rfind('.')));
        const bool attention = is_attention(tensor, part);
        if (!attention && (part == LoraPart::text || shape.conv_rank == 0 || !is_convolution(tensor)))
            return;
        // As kohya's trainer has it, only kernels of several pixels get the rank of convolutions.
        const bool conv = sides.size() == 4 && sides[2] > 1;
        add_layer(name, weight, conv ? shape.conv_rank : shape.rank, conv ? shape.conv_alpha : shape.alpha, seed);
    });
    if (layers_.size() == before)
        throw Error(AIANIME_BAD_DATA, part == LoraPart::text
                                          ? "the text encoder has no layers that a LoRA could change"
                                          : "the U-Net has no attention that a LoRA could change; with --conv-rank "
                                            "its convolutions are trained");
}

void LoraLayers::add_layer(const std::string &name, at::Tensor &weight, int64_t rank, double alpha, uint64_t seed) {
    // No larger than what it is to change: more adds nothing. The strength stays.
    const double scale = alpha / static_cast<double>(rank);
    rank = std::min({rank, weight.size(0), weight.numel() / weight.size(0)});
    std::vector<int64_t> down = weight.sizes().vec(), up(down.size(), 1);
    down[0] = up[1] = rank;
    up[0] = weight.size(0);
    Layer layer{name, &weight, weight, {}, {}, scale * static_cast<double>(rank), scale};
    const double bound = 1 / std::sqrt(static_cast<double>(weight.numel() / weight.size(0)));
    const auto generator = generator_for(seed, static_cast<int64_t>(text_hash(name)), 0);
    layer.down = at::empty(down, at::kFloat).uniform_(-bound, bound, generator).to(weight.device()).requires_grad_();
    layer.up = at::zeros(up, weight.options().dtype(at::kFloat)).requires_grad_();
    parameters_.emplace_back(name + ".lora_down.weight", layer.down);
    parameters_.emplace_back(name + ".lora_up.weight", layer.up);
    layers_.push_back(layer);
}

void LoraLayers::apply() const {
    if (layers_.empty())
        return;
    const PlainPrecision plain(layers_.front().base.device().type());
    for (const Layer &layer : layers_) {
        const at::Tensor change = at::mm(layer.up.flatten(1), layer.down.flatten(1)).view(layer.base.sizes());
        *layer.weight = at::add(layer.base, change, layer.scale).to(layer.base.scalar_type());
    }
    // Networks use what they derived from their weights wherever these need no gradient.
    if (!at::GradMode::is_enabled())
        derive();
}

void LoraLayers::remove() const {
    for (const Layer &layer : layers_)
        *layer.weight = layer.base;
    derive();
}

void LoraLayers::derive() const {
    for (nn::Module *module : modules_)
        module->call_loaded();
}

void LoraLayers::write(const std::string &path, LoraPrecision precision, const std::map<std::string, std::string> &metadata) const {
    std::vector<at::Tensor> kept; // alive until the file is written
    std::map<std::string, io::TensorData> data;
    const auto add = [&](const std::string &name, const at::Tensor &tensor, Stored stored) {
        kept.push_back(tensor.detach().to(at::kCPU, stored.type).contiguous());
        // Checked as it is stored: float16 ends at 65504.
        if (!std::isfinite(kept.back().sum(at::kDouble).item<double>()))
            throw Error(AIANIME_NOT_FINITE, path + ": not written, " + name + " holds values that are not finite");
        data[name] = {stored.dtype, kept.back().sizes().vec(), kept.back().const_data_ptr()};
    };
    for (const auto &[name, tensor] : parameters_)
        add(name, tensor, stored_as(precision));
    for (const Layer &layer : layers_)
        add(layer.name + ".alpha", at::scalar_tensor(layer.alpha, at::kFloat), stored_as(LoraPrecision::float32));
    io::write_safetensors(path, data, metadata);
}

} // namespace aianime::train
