// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/model.h"

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

bool is_query_name(const std::string &name) { return name == "query_tokens" || starts_with(name, "qformer."); }

// Position numbers, and what a Q-Former's layers do with text: "qformer.encoder.layer.0.intermediate.dense.weight".
bool is_ignorable(const std::string &name) {
    if (name.size() > 12 && name.compare(name.size() - 12, 12, "position_ids") == 0)
        return true;
    if (!starts_with(name, "qformer.encoder.layer."))
        return starts_with(name, "qformer.embeddings.");
    const std::string rest = name.substr(name.find('.', std::string("qformer.encoder.layer.").size()) + 1);
    return starts_with(rest, "intermediate.") || starts_with(rest, "output.");
}

bool is_not_generator(const std::string &name) { return is_query_name(name) || is_ignorable(name); }

bool is_not_queries(const std::string &name) { return !is_query_name(name) || is_ignorable(name); }

Blip2Config config_for(const io::Json &json, const WeightSource &source) {
    Blip2Config config(json);
    if (source.has("language_model.lm_head.weight"))
        config.text.tied = false;
    return config;
}

} // namespace

Blip2Model::Generator::Generator(const Blip2Config &config)
    : vision_model(config.vision), language_projection(config.qformer.width, config.text.width), language_model(config.text) {
    child("vision_model", vision_model);
    child("language_projection", language_projection);
    child("language_model", language_model);
}

Blip2Model::Queries::Queries(const Blip2Config &config) : qformer(config.qformer) {
    parameter("query_tokens", query_tokens, {1, config.queries, config.qformer.width});
    child("qformer", qformer);
}

Blip2Model::Blip2Model(const io::Json &config, const WeightSource &source)
    : config_(config_for(config, source)), generator_(config_), queries_(config_) {}

void Blip2Model::check(const WeightSource &source) {
    check_names(generator_, source, is_not_generator);
    check_names(queries_, source, is_not_queries);
}

void Blip2Model::load(const WeightSource &source, at::ScalarType dtype, at::Device device) {
    check(source);
    nn::load(generator_, source, dtype, device, is_not_generator);
    nn::load(queries_, source, at::kFloat, device, is_not_queries);
}

int64_t Blip2Model::parameter_count() { return generator_.parameter_count() + queries_.parameter_count(); }

at::Tensor Blip2Model::picture_tokens(const at::Tensor &pixels) const {
    const int64_t side = config_.vision.image_size;
    if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != side || pixels.size(3) != side)
        throw Error(AIANIME_INTERNAL,
                    "BLIP-2: its picture is not [n, 3, " + std::to_string(side) + ", " + std::to_string(side) + "]");
    const at::Tensor picture = generator_.vision_model.forward(pixels);
    const at::Tensor queries = queries_.query_tokens.expand({pixels.size(0), -1, -1});
    const at::Tensor seen = queries_.qformer.forward(queries, like_weight(picture, queries_.query_tokens));
    return generator_.language_projection.forward(seen.to(picture.scalar_type()));
}

at::Tensor Blip2Model::prompt_embeddings(const at::Tensor &pixels, const std::vector<int64_t> &words) const {
    return at::cat({picture_tokens(pixels), language_model().embeddings(at::tensor(words, at::kLong).unsqueeze(0))}, 1);
}

std::vector<int64_t> Blip2Model::prompt_tokens(const std::vector<int64_t> &words) const {
    std::vector<int64_t> tokens;
    if (config_.image_token >= 0)
        tokens.assign(static_cast<size_t>(config_.queries), config_.image_token);
    tokens.insert(tokens.end(), words.begin(), words.end());
    return tokens;
}

} // namespace aianime::nn
