// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/identity_tokens.h"

#include <cmath>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/config_reader.h"
#include "nn/weights.h"

namespace aianime::nn {

IdentityConfig IdentityConfig::from_json(const io::Json &json) {
    ConfigReader reader(json);
    IdentityConfig config;
    config.descriptor = reader.integer("descriptor_width", config.descriptor, 1, 4096);
    config.hidden = reader.integer("hidden_width", config.hidden, 1, 65536);
    config.tokens = reader.integer("tokens", config.tokens, 1, 77);
    config.width = reader.integer("width", config.width, 1, 8192);
    reader.check_rest();
    return config;
}

std::string IdentityConfig::to_json() const {
    return "{\n  \"_class_name\": \"IdentityTokens\",\n  \"descriptor_width\": " + std::to_string(descriptor) +
           ",\n  \"hidden_width\": " + std::to_string(hidden) + ",\n  \"tokens\": " + std::to_string(tokens) +
           ",\n  \"width\": " + std::to_string(width) + "\n}\n";
}

IdentityTokens::IdentityTokens(const IdentityConfig &config)
    : config_(config), in_(config.descriptor, config.hidden), middle_(config.hidden, config.hidden),
      out_(config.hidden, config.tokens * config.width), norm_(config.width) {
    child("in", in_);
    child("middle", middle_);
    child("out", out_);
    child("norm", norm_);
}

std::unique_ptr<IdentityTokens> IdentityTokens::load(const std::string &folder, at::ScalarType dtype, at::Device device) {
    auto result = std::make_unique<IdentityTokens>(IdentityConfig::from_json(io::Json::load(folder + "/config.json")));
    const std::vector<std::string> broken = nn::load(*result, WeightSource::from_folder(folder), dtype, device);
    if (!broken.empty())
        throw Error(AIANIME_BAD_DATA, folder + ": " + broken.front() + " holds numbers that are not finite");
    return result;
}

at::Tensor IdentityTokens::forward(const at::Tensor &descriptors) const {
    const at::Tensor given = descriptors.to(at::kFloat);
    const at::Tensor length = given.norm(2, {1}, true).clamp_min(1e-6);
    const at::Tensor x = like_weight(given / length * std::sqrt(static_cast<double>(config_.descriptor)), in_.weight);
    const at::Tensor h = at::gelu(in_.forward(x));
    const at::Tensor tokens = out_.forward(h + at::gelu(middle_.forward(h)));
    return norm_.forward(tokens.unflatten(1, {config_.tokens, config_.width}));
}

} // namespace aianime::nn
