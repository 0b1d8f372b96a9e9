// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "io/json.h"

namespace aianime::nn {

class Module;

// Picture to latent and back: diffusers AutoencoderKL or AutoencoderTiny, told apart by `_class_name` in config.json.
// Pictures are [batch, 3, H, W] in [-1, 1] (AutoencoderTiny's own [0, 1] is handled inside); latents are scaled as the U-Net
// expects them: encode() multiplies by scaling_factor (after shift_factor), decode() divides.
class Autoencoder {
public:
    virtual ~Autoencoder() = default;
    // Throws Error (BAD_DATA) for another class or an unknown setting.
    static std::unique_ptr<Autoencoder> create(const io::Json &config);

    virtual Module &module() = 0;
    virtual int64_t latent_channels() const = 0;
    // Sides of a picture must be multiples of this; it is also the ratio of picture to latent.
    virtual int64_t stride() const = 0;
    // The distribution's mean (AutoencoderKL), scaled.
    virtual at::Tensor encode(const at::Tensor &picture) const = 0;
    virtual at::Tensor decode(const at::Tensor &latent) const = 0;
    // Gives the encoder's memory back where nothing will be encoded.
    virtual void release_encoder() = 0;
};

} // namespace aianime::nn
