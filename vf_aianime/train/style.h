// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "diffusion/scheduler.h"
#include "train/loop.h"
#include "train/lora_layers.h"

namespace aianime::train {

struct StyleOptions {
    std::string pictures, sources; // folders; sources may be "": hints are made of the pictures
    std::string base = "pocket";   // path, or name below the model folders
    std::string output;            // the LoRA's file
    std::string work;              // folder for states, latents, curves, sheets and checkpoints

    LoraShape shape;
    bool text_encoder = false;
    LoraPrecision stored = LoraPrecision::float32;

    std::string trigger;
    double empty_prompts = 0.1;
    int64_t clip_skip = 1;
    bool flip = false;
    int side = 0;        // 0: the base's size
    int bucket_step = 0; // 0: the base's stride

    int64_t steps = 1000;
    double minutes = 0; // 0: no limit
    int64_t batch = 1, accumulate = 1;
    double rate = 1e-4, text_rate = 5e-5;
    int64_t warmup = -1;                             // below 0: a twentieth of the steps, at most 100
    double min_snr = 0;                              // 0: every timestep counts the same
    double noise_offset = -1;                        // below 0: what the base says
    int64_t few_steps = -1;                          // draw_style_timesteps(); below 0: the base's where it is made for few
    std::optional<diffusion::Prediction> prediction; // none: the base's
    bool bf16 = false;

    int64_t sample_every = 250; // 0: never
    int64_t samples = 4;
    int64_t checkpoint_every = 0; // 0: never
    uint64_t seed = 1;
    c10::Device device = c10::DeviceType::CPU;
};

// Trains a LoRA on pictures and writes it. Goes on where the work folder has a state made with the same options; Error (INVALID)
// names the option that differs. LoopEnd::stopped: the state is written, the LoRA is not.
// Throws Error (INVALID, NOT_FOUND, BAD_DATA, FORBIDDEN, IO, NOT_FINITE).
LoopEnd train_style(const StyleOptions &options, const Report &report);

} // namespace aianime::train
