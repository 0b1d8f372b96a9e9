// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "pipeline/denoiser.h"
#include "pipeline/optical_flow.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// Where the noise of each of `frames` comes from in the shot's first frame, see diffusion::noise_places(). A frame's places are a
// function of that frame and the first one: the same in whatever company. factor: pixels of a latent cell's side.
std::vector<at::Tensor> places_in_first_frame(const FrameRequest &first, const std::vector<FrameRequest> &frames, int64_t factor,
                                              const OpticalFlow &flow, Watch &watch);

} // namespace aianime::pipeline
