// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "io/json.h"
#include "nn/weights.h"

namespace aianime::nn {

// The config.json of a network whose file came without one, read off the shapes of its tensors (diffusers names). What shapes do
// not tell is the family's: groups of 32 channels, 8 attention heads (Stable Diffusion 1) or heads of 64 channels (2, known by its
// linear projections). Each throws Error (BAD_DATA) where a tensor that must be there is missing.

// UNet2DConditionModel or ControlNetModel.
io::Json unet_config(const WeightSource &source);
// AutoencoderKL; latents are scaled by 0.18215.
io::Json autoencoder_config(const WeightSource &source);
// AutoencoderTiny.
io::Json tiny_autoencoder_config(const WeightSource &source);
// CLIPTextModel, heads of 64 channels; `open_clip`: its exact GELU instead of the quick one.
io::Json text_encoder_config(const WeightSource &source, bool open_clip);

} // namespace aianime::nn
