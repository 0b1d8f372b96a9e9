// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/clip_model.h"

#include <cmath>
#include <map>
#include <string>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/clip_text.h"
#include "nn/clip_vision.h"
#include "nn/config_reader.h"
#include "nn/layers.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr int64_t wrong_eos = 2; // see text_embeddings()
constexpr int64_t clip_eos = 49407;

// What a CLIP has beyond its towers and the picture's projection.
class Head : public Module {
public:
    Head(int64_t width, int64_t projection) : text_projection(width, projection, false) {
        child("text_projection", text_projection);
        parameter("logit_scale", logit_scale, {});
    }

    Linear text_projection;
    at::Tensor logit_scale;
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

bool is_of_towers(const std::string &name) {
    return starts_with(name, "text_model.") || starts_with(name, "vision_model.") || name == "visual_projection.weight";
}

WeightSource text_of(const WeightSource &source) {
    std::map<std::string, WeightView> views;
    for (const std::string &name : source.names())
        if (starts_with(name, "text_model."))
            views[name] = {name, source.shape(name)};
    return source.renamed(views);
}

io::Json text_config(const io::Json &config) {
    if (!config.has("text_config") || !config.has("vision_config"))
        throw Error(AIANIME_BAD_DATA, config.where() +
                                          ": not the configuration of a whole CLIP: it holds no \"text_config\" and "
                                          "\"vision_config\"; a vision or text tower alone cannot compare pictures with texts");
    ConfigReader(config).require("model_type", "clip");
    return config.at("text_config");
}

at::Tensor of_length_one(const at::Tensor &x) {
    const at::Tensor wide = x.to(at::kFloat);
    return wide / wide.norm(2, {-1}, true);
}

} // namespace

struct ClipModel::Impl {
    explicit Impl(const io::Json &config)
        : text(text_config(config)), vision(config), head(text.width(), vision.projection()),
          eos(ConfigReader(config.at("text_config")).integer("eos_token_id", clip_eos, 0, 1 << 24)) {}

    ClipText text;
    ClipVision vision;
    Head head;
    int64_t eos;
    double scale = 0;
};

ClipModel::ClipModel(const io::Json &config) : impl_(std::make_unique<Impl>(config)) {}

ClipModel::~ClipModel() = default;

// The vision tower sees all names, so that what belongs to nothing is told.
void ClipModel::check(const WeightSource &source) {
    impl_->vision.check(source);
    impl_->text.check(text_of(source));
    check_names(impl_->head, source, is_of_towers);
}

void ClipModel::load(const WeightSource &source, at::ScalarType dtype, at::Device device) {
    check(source);
    impl_->vision.load(source, dtype, device);
    impl_->text.load(text_of(source), dtype, device);
    nn::load(impl_->head, source, dtype, device, is_of_towers);
    // It is an exponent: half the digits of a weight are too few.
    impl_->scale = std::exp(source.tensor("logit_scale", at::kDouble, at::kCPU).item<double>());
}

int64_t ClipModel::parameter_count() {
    return impl_->vision.module().parameter_count() + impl_->text.module().parameter_count() + impl_->head.parameter_count();
}

int64_t ClipModel::max_tokens() const { return impl_->text.max_tokens(); }

int64_t ClipModel::projection() const { return impl_->vision.projection(); }

const ClipVision &ClipModel::vision() const { return impl_->vision; }

at::Tensor ClipModel::text_embeddings(const at::Tensor &ids) const {
    const Impl &net = *impl_;
    if (net.eos != wrong_eos && !(ids == net.eos).any(1).all().item<bool>())
        throw Error(AIANIME_BAD_DATA, "text encoder: a text without its end token " + std::to_string(net.eos) +
                                          "; tokenizer and text encoder do not belong together");
    const at::Tensor ends = net.eos == wrong_eos ? ids.argmax(1) : (ids == net.eos).to(at::kInt).argmax(1);
    const at::Tensor hidden = net.text.forward(ids.to(net.head.text_projection.weight.device()));
    const at::Tensor rows = at::arange(ids.size(0), hidden.options().dtype(at::kLong));
    return of_length_one(net.head.text_projection.forward(hidden.index({rows, ends.to(hidden.device())})));
}

at::Tensor ClipModel::picture_embeddings(const at::Tensor &pixels) const {
    return of_length_one(impl_->vision.forward(pixels).embedding);
}

at::Tensor ClipModel::logits(const at::Tensor &pictures, const at::Tensor &texts) const {
    return at::matmul(pictures, texts.t()) * impl_->scale;
}

} // namespace aianime::nn
