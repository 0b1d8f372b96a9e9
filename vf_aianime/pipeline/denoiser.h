// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "pipeline/models.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// A frame to be generated.
struct FrameRequest {
    at::Tensor picture; // the source, float32 [1, 3, H, W] in [0, 1], sides multiples of Models::stride()
    int64_t identity;   // what its noise is drawn by (FrameClock::Tick::identity)
    at::Tensor noise;   // its initial noise, float32 [channels, h, w]; undefined: drawn
    // For controls of type "temporal", float32 [1, 6, H, W] in [0, 1]: the frame before it as it was generated, and the motion
    // from there to here as a picture. Undefined: the frame itself, and no motion.
    at::Tensor previous = {};
    // Latents that are known already, float32 [channels, h, w], and where, bool [1, h, w]: they are put, noised as the rest is,
    // into every step, so that the rest is made to fit them (the in-painting of RePaint, Lugmayr et al., CVPR 2022). Undefined:
    // none.
    at::Tensor known = {}, known_at = {};
    // Its own prompt, [1, tokens, width] in the networks' precision; undefined: the conditioning's. All frames of a run have one of
    // the same length, or none has.
    at::Tensor text = {};
    // Where each person of the conditioning is, float32 [people, h, w] in [0, 1]; undefined: nobody is to be seen.
    at::Tensor people = {};
    // Of each person the entry of Conditioning::texts that is true of them now, -1: none. As many as people, or empty.
    std::vector<int64_t> texts = {};
};

// What a run is conditioned on: the text, the pictures of an IP-Adapter, and who is to be seen.
struct Conditioning {
    // [branches, tokens, width] in the networks' precision: with guidance the negative prompt's row, then the positive one's.
    at::Tensor text;
    std::vector<nn::ImagePrompt> images; // seen everywhere
    int64_t people = 0;                  // how many
    // Of each person, seen where FrameRequest::people says: words of who it is [people, tokens, width], may be undefined, their
    // weight, and image prompts, one a person or none.
    at::Tensor names;
    double names_weight = 1;
    std::vector<nn::ImagePrompt> faces;
    std::vector<at::Tensor> texts; // [tokens, width] each: what people do
    int64_t branches() const { return text.size(0); }
};
Conditioning encode_conditioning(const Models &models, const Settings &settings, const Watch &watch);
// What the models' IP-Adapter makes of a picture, float32 [1, 3, h, w] in [0, 1].
nn::ImagePrompt encode_image(const Models &models, const Settings &settings, const Conditioning &conditioning,
                             const at::Tensor &picture);

// Latent diffusion of one segment: all frames go through step t before any goes through step t + 1, so that anchors' keys and
// values are kept for one step only, and overlapping windows are fused at every step.
//
// frames: the segment, in order. anchors: the shot's anchors in the order they are made, used in mode `anchors` together with the
// segment's first frame; those that are among `frames` (same identity) are made once. The first is the shot's first frame, which
// noise mode `warped` looks at whatever the mode. The first anchor sees itself only, each later
// one those before it, every other frame all of them. Returns latents, float32 [frames, channels, h, w], on the CPU. Throws Error
// (CANCELLED, NO_MEMORY). The result may hold values that are not finite; the caller checks.
at::Tensor denoise(const Models &models, const Settings &settings, const Conditioning &conditioning,
                   const std::vector<FrameRequest> &frames, const std::vector<FrameRequest> &anchors, Watch &watch);

} // namespace aianime::pipeline
