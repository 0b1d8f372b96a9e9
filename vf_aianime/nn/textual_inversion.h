// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace aianime::nn {

// A word that a user has taught a text encoder: vectors that stand where the word's tokens would.
struct TextualInversion {
    std::string name;   // what to write in a prompt: the file's name without its ending, or the token that the file gives
    std::string file;   // for messages
    at::Tensor vectors; // float32 [n, width], n >= 1
};

// Reads a safetensors file in one of three dialects, told apart by their keys:
//   emb_params [n, width]                      as most downloads have it (EasyNegative)
//   string_to_param.* or * alone [n, width]    a web UI's file, converted; step counts and token numbers beside it are left out
//   <token> [width] or [n, width]              diffusers; the only tensor, its key is the name
// Throws Error: as WeightSource::from_file, and BAD_DATA for anything else, naming embeddings for SDXL as such.
TextualInversion load_textual_inversion(const std::string &file);

} // namespace aianime::nn
