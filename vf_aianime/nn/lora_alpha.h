// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>

#include "io/json.h"
#include "nn/lora_keys.h"

namespace aianime::nn {

// The alphas that a LoRA file does not keep in tensors: in its metadata ("lora_adapter_metadata" of diffusers, or plain
// "lora_alpha", "alpha"), or in the adapter_config.json that PEFT writes beside its adapter_model.safetensors.
class LoraAlphas {
public:
    // Throws Error (BAD_DATA) where these are not what they should be.
    explicit LoraAlphas(const std::string &file);
    // `layer` as the file names it. None: the rank.
    std::optional<double> alpha(const std::string &layer, LoraTarget target) const;
    bool rank_stabilized(LoraTarget target) const { return of(target).rank_stabilized; }

private:
    struct Settings {
        std::optional<double> alpha;
        std::map<std::string, double> patterns; // end of a layer's name -> its own alpha
        bool rank_stabilized = false;
    };
    static Settings read(const io::Json &json, const std::string &prefix);
    const Settings &of(LoraTarget target) const { return target == LoraTarget::text ? text_ : unet_; }

    Settings unet_, text_;
};

} // namespace aianime::nn
