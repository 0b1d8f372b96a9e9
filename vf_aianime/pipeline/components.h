// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "nn/single_file.h"

namespace aianime::pipeline {

// Which network of a model.
enum class Part { unet, vae, text_encoder, controlnet };

// One network of a base model. `base`: a diffusers folder, whose part lies in a folder of its own, or a checkpoint in one file.
// Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO).
nn::Component base_component(const std::string &base, Part part);

// A network by itself. `path`: a folder with config.json and weights, or a file that holds (among others) such a network.
nn::Component component(const std::string &path, Part part);

} // namespace aianime::pipeline
