// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::nn {

// A tensor of a LoRA file: which layer it changes and what it is there.
struct LoraKey {
    // The layer as the file names it; "" when the tensor is none that a LoRA has.
    std::string layer;
    // "down", "up", "mid", "alpha", "dora", "magnitude", "diff", "diff_b", or LyCORIS' own name ("hada_w1_a", "lokr_w2", ...).
    std::string part;
    // "kohya", "diffusers", "peft", "lycoris".
    std::string dialect;
};

LoraKey split_lora_key(const std::string &name);

// Where a name says that its layer is.
enum class LoraTarget { any, unet, text };

// A layer's name in the one form that all dialects are compared in: '_' for '.', without wrappers ("module.",
// "base_model.model.", ".processor") and without what names the network ("lora_unet_", "unet.", "lora_te_", "text_model.", ...).
struct LoraLayer {
    std::string name;
    LoraTarget target = LoraTarget::any;
};

LoraLayer plain_layer(const std::string &layer);

// "down_blocks.0.conv" -> "down_blocks_0_conv".
std::string underscored(const std::string &name);

} // namespace aianime::nn
