// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "io/pack.h"
#include "nn/lora.h"
#include "nn/motion_module.h"
#include "pipeline/template.h"

namespace aianime::pipeline {

// Everything a session does, decided: the template, overridden by what the caller gave, completed by the pack's defaults.
struct Settings {
    Template style;
    io::Pack pack;
    std::string vae;       // folder or file; "" = the pack's own
    std::string tokenizer; // folder with vocab.json and merges.txt

    // A control with its folder or file found.
    struct Control {
        ControlSettings settings;
        std::string path;
        std::string annotator; // "" where its type needs none
    };
    std::vector<Control> controls;

    // The template's, with their files found.
    std::vector<nn::LoraUse> loras;
    std::vector<EmbeddingSettings> embeddings;
    IdentitySettings identity;

    std::string motion; // motion module's file or folder; "" = none
    std::string cfa;    // folder of the attention between frames that attention "flow" uses; "" = none
    int fusion = 0;     // frames on each side whose pictures are averaged along the motion
    CaptionSource caption = CaptionSource::none;
    std::string caption_model, phrases; // found; "" where the captioner needs none, or has its own
    std::string captions;               // file with texts; caption is `file`
    std::string report, key_pictures;   // file, and folder for key frames; "": none
    std::string plan;                   // file; "": none
    std::string flow_model;             // file of the optical flow network; "" = DIS
    nn::MotionNorms motion_norms = nn::MotionNorms::trained;

    std::string scheduler; // "" = the pack's scheduler_config.json
    int steps = 0;
    double guidance = 0;
    double strength = 0;
    double noise_offset = 0; // of the noise that is drawn, see offset_noise in diffusion/noise.h
    int size = 0;

    std::string device; // "cpu"
    int threads = 0;    // 0 = all
    aianime_on_error on_error = AIANIME_ON_ERROR_FAIL;
    bool commercial = false; // files known as noncommercial are refused
    std::string noise;       // file with the initial noise, "" = drawn by the seed

    // Whether prompts are only known once shots are looked at.
    bool writes_prompts() const { return caption != CaptionSource::none || !plan.empty(); }
    // Whether pictures or words of faces are shown to the U-Net.
    bool shows_people() const { return identity.tokens > 0 || (!identity.ip_adapter.empty() && identity.image.empty()); }
};

// Whether what describes the shots has what it needs. Throws Error (INVALID, BAD_DATA, NOT_FOUND).
void check_captions(const Settings &settings);

// Reads template and pack and merges. Throws Error (INVALID, OUT_OF_RANGE, NOT_FOUND, BAD_DATA, FORBIDDEN, NO_DEVICE). `overrides`
// receives the names of the template's fields that the caller's options replaced.
Settings resolve_settings(const aianime_settings &given, std::vector<std::string> &overrides);

// A base by itself, with its own defaults and controls: no template, no additions. `base`: a path, or a name below the model
// folders. Throws Error (NOT_FOUND, BAD_DATA, FORBIDDEN).
Settings settings_of_base(const std::string &base);

} // namespace aianime::pipeline
