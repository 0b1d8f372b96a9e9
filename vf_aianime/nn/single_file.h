// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "io/json.h"
#include "nn/weights.h"

namespace aianime::nn {

// A network out of a file: its tensors under diffusers' (or transformers') names, and the config.json that would stand beside them,
// made from the tensors' shapes and what is known of the family.
struct Component {
    WeightSource source;
    io::Json config;
};

// Files that hold networks without any config.json: checkpoints, ControlNets, autoencoders and text encoders as people pass them
// on. What is in a file is told by its tensors' names and shapes alone. Thread safety: const members from several threads.
class SingleFile {
public:
    // Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO); Stable Diffusion XL and later families are refused by name.
    explicit SingleFile(const std::string &path);

    // Empty where the file has no such part. Throws Error (BAD_DATA) where the part is there but incomplete.
    std::optional<Component> unet() const;
    std::optional<Component> vae() const; // AutoencoderKL or AutoencoderTiny
    std::optional<Component> text_encoder() const;
    std::optional<Component> controlnet() const;

    // The family's text encoder is OpenCLIP's, its U-Net was probably trained to predict v, and prompts are padded with token 0.
    bool is_version_2() const;

private:
    WeightSource source_;
};

} // namespace aianime::nn
