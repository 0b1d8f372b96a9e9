// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "train/pack_losses.h"

namespace aianime::train {

struct FewStepsOptions {
    int64_t steps = 4;  // of the student
    int64_t draws = 32; // of noise, for what the source does not determine
    double picture_weight = 1;
};

// Pure noise for each of the clean latents [n, c, h, w]. Where the palette is open, of `draws` the one that points most from what
// the base expects towards the target, by the means of cells as large as what a palette colours.
at::Tensor coupled_noise(const PackNetworks &base, const Diffusion &diffusion, const Batch &batch, const at::Tensor &clean,
                         int64_t draws, const at::Generator &generator);

// Distillation to a few deterministic steps. The student is brought to a random one of its steps by its own hand (so that it learns
// to mend its own mistakes, not those of ideal noise) and must name the target's clean latents from there. Where source and prompt
// leave the palette open it would name the mean of all palettes: there noise and target are paired by likeness beyond what the
// frozen base expects, so that the noise decides (couplings as in multisample flow matching, arXiv 2304.14772). Decoded pictures of
// determined targets are compared too, for lines are lost in latents first, and the decoder learns with them to draw from what the
// student names.
at::Tensor few_steps_loss(const PackNetworks &student, const PackNetworks &base, const Diffusion &diffusion, const Batch &batch,
                          const FewStepsOptions &options, const at::Generator &generator);

} // namespace aianime::train
