// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <cstdint>
#include <vector>

#include "pipeline/denoiser.h"
#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// A source picture chosen for generation.
struct SourcePicture {
    cv::Mat picture; // CV_32FC3, padded working size
    int64_t identity = 0;
    cv::Size shown = {};                      // its part without the padding; empty: all of it
    std::vector<WeightedPrompt> prompts = {}; // empty: the template's
    std::vector<PersonAt> people = {};
};

// What the families of methods that make pictures one after the other ask of the networks.
class Painter {
public:
    virtual ~Painter() = default;

    // A frame as it would be made alone, as a picture.
    virtual FrameRequest request(const SourcePicture &source) = 0;
    // Initial noise for a frame at this size of latents, float32 [channels, height, width]; stream 0: what it has when it is made
    // alone.
    virtual at::Tensor noise(const FrameRequest &frame, uint32_t stream, int64_t height, int64_t width) = 0;
    // Latents, float32 [channels, h, w]; undefined when something was not finite.
    virtual at::Tensor paint(const FrameRequest &frame) = 0;
    // The picture of latents [channels, h, w], CV_32FC3; empty when something was not finite.
    virtual cv::Mat decode(const at::Tensor &latents) = 0;
    // The latents of a picture, CV_32FC3 with sides that are multiples of stride(); float32 [channels, h, w].
    virtual at::Tensor encode(const cv::Mat &picture) = 0;

    virtual int cell() const = 0;   // pixels of a latent's side
    virtual int stride() const = 0; // sides of pictures are multiples of this
};

} // namespace aianime::pipeline
