// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "nn/weights.h"

namespace aianime::nn {

// The text encoder of a checkpoint in one file under transformers' names without "text_model.": CLIP as Stable Diffusion 1 holds
// it, with "text_model." and, in old merges, without, or OpenCLIP as Stable Diffusion 2 holds it, whose last layer is left out
// because the U-Net was trained on what the layer before it gives. Also a text encoder alone, in transformers' or OpenCLIP's names.
// Empty where there is none.
std::map<std::string, WeightView> text_encoder_views(const WeightSource &source);

// Whether the text encoder is OpenCLIP's.
bool has_open_clip(const WeightSource &source);

} // namespace aianime::nn
