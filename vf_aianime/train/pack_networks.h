// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/scheduler.h"
#include "nn/autoencoder.h"
#include "nn/clip_text.h"
#include "nn/unet.h"
#include "train/diffusion.h"
#include "train/parameters.h"

namespace aianime::train {

// The networks of a small pack in training, float32. Their shapes are those of the config.json files of a folder in diffusers
// layout (vae/, unet/, controlnet/, text_encoder/, tokenizer/, scheduler/), weights need not lie in it.
struct PackNetworks {
    // Throws Error (NOT_FOUND, BAD_DATA).
    PackNetworks(const std::string &shape_folder, uint64_t seed, at::Device device);

    // Token numbers [prompts, 77].
    at::Tensor token_ids(const std::vector<std::string> &prompts) const;
    // [prompts, 77, width]
    at::Tensor encode_text(const std::vector<std::string> &prompts) const;

    // Latents as the U-Net sees them, their spread brought to 1 by `latent_scale`, and back.
    at::Tensor encode(const at::Tensor &picture) const;
    at::Tensor decode(const at::Tensor &latent) const;

    // v, whatever the U-Net names, for latents x at timesteps [batch]; hint: the control network's embedding of the sources. local:
    // words that only the U-Net reads, and only in some places, may be null.
    at::Tensor velocity(const at::Tensor &x, const at::Tensor &timesteps, const at::Tensor &text, const at::Tensor &hint,
                        const nn::LocalText *local = nullptr) const;

    Parameters train_autoencoder();
    // U-Net, ControlNet and text encoder; the autoencoder is frozen.
    Parameters train_denoiser();
    // The same and the decoder, for that what it is given is no longer what the encoder makes.
    Parameters train_few_steps();
    void freeze();
    // Takes over the weights of a pack of the same shapes. Throws Error (NOT_FOUND, BAD_DATA).
    void load(const std::string &pack);

    at::Device device;
    std::unique_ptr<nn::Autoencoder> vae;
    std::unique_ptr<nn::UNet> unet;
    std::unique_ptr<nn::ControlNet> control;
    std::unique_ptr<nn::ClipTokenizer> tokenizer;
    std::unique_ptr<nn::ClipText> text;
    diffusion::SchedulerConfig scheduler;
    Diffusion schedule;
    double noise_offset = 0; // of the noise that sampling starts from, as the pack says
    double latent_scale = 1;
};

} // namespace aianime::train
