// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/lora_alpha.h"

#include <filesystem>
#include <limits>
#include <system_error>

#include "io/error.h"
#include "io/safetensors.h"

namespace aianime::nn {

namespace {

constexpr double largest = std::numeric_limits<float>::max();
constexpr double smallest = 1e-30; // 0 would switch the file off, which no trainer means

std::optional<double> alpha_of(const io::Json &json, const std::string &prefix) {
    for (const char *key : {"lora_alpha", "alpha"})
        if (json.has(prefix + key) && !json.at(prefix + key).is_null())
            return json.at(prefix + key).number(smallest, largest);
    return {};
}

// Whether `layer` is `pattern` or ends with it after a dot.
bool fits(const std::string &layer, const std::string &pattern) {
    if (layer.size() < pattern.size() || layer.compare(layer.size() - pattern.size(), pattern.size(), pattern) != 0)
        return false;
    return layer.size() == pattern.size() || layer[layer.size() - pattern.size() - 1] == '.';
}

} // namespace

LoraAlphas::Settings LoraAlphas::read(const io::Json &json, const std::string &prefix) {
    Settings settings;
    settings.alpha = alpha_of(json, prefix);
    if (json.has(prefix + "use_rslora") && !json.at(prefix + "use_rslora").is_null())
        settings.rank_stabilized = json.at(prefix + "use_rslora").boolean();
    if (json.has(prefix + "alpha_pattern") && json.at(prefix + "alpha_pattern").is_object()) {
        const io::Json patterns = json.at(prefix + "alpha_pattern");
        for (const std::string &layer : patterns.keys())
            settings.patterns[layer] = patterns.at(layer).number(smallest, largest);
    }
    return settings;
}

LoraAlphas::LoraAlphas(const std::string &file) {
    const std::map<std::string, std::string> metadata = io::SafetensorsFile(file).metadata();
    const auto adapter = metadata.find("lora_adapter_metadata");
    const std::filesystem::path path(file);
    const std::string config = (path.parent_path() / "adapter_config.json").string();
    std::error_code ignored;
    if (adapter != metadata.end()) {
        const io::Json json = io::Json::parse(adapter->second, file + ": lora_adapter_metadata");
        unet_ = read(json, "unet.");
        text_ = read(json, "text_encoder.");
    } else if (path.filename() == "adapter_model.safetensors" && std::filesystem::exists(config, ignored)) {
        unet_ = text_ = read(io::Json::load(config), "");
    } else {
        for (const char *key : {"lora_alpha", "alpha"})
            if (const auto found = metadata.find(key); found != metadata.end())
                unet_.alpha = text_.alpha = io::Json::parse("{\"alpha\": " + found->second + "}", file + ": metadata")
                                                .at("alpha")
                                                .number(smallest, largest);
    }
}

std::optional<double> LoraAlphas::alpha(const std::string &layer, LoraTarget target) const {
    const Settings &settings = of(target);
    for (const auto &[pattern, alpha] : settings.patterns)
        if (fits(layer, pattern))
            return alpha;
    return settings.alpha;
}

} // namespace aianime::nn
