// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/image_prompt.h"
#include "nn/local_text.h"
#include "pipeline/denoiser.h"

namespace aianime::pipeline {

// What the networks are shown beside the latents of some frames that go through them together.
struct FrameConditions {
    at::Tensor text;                     // [branches, tokens, width], or a row a picture where frames have prompts of their own
    std::vector<nn::ImagePrompt> images; // of everybody's eyes, and of faces where they are
    nn::LocalText words;                 // people's names and what they do, where they are; the negative branch has none
};

// frames: one at least. height, width: of their latents.
FrameConditions conditions_of(const Conditioning &conditioning, const std::vector<const FrameRequest *> &frames, int64_t height,
                              int64_t width, at::Device device);

} // namespace aianime::pipeline
