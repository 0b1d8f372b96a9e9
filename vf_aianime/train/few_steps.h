// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "train/pack_losses.h"

namespace aianime::train {

struct FewStepsOptions {
    int64_t steps = 4; // of the student
    double picture_weight = 1;
};

// Distillation to a few deterministic steps. The student is brought to a random one of its steps by its own hand (so that it learns
// to mend its own mistakes, not those of ideal noise) and must name the target's clean latents from there. Where source and prompt
// leave the palette open, the noise's offset decides it (offset_noise.h), or it would name the mean of all palettes. Decoded
// pictures of determined targets are compared too, for lines are lost in latents first, and the decoder learns with them to draw
// from what the student names.
at::Tensor few_steps_loss(const PackNetworks &student, const Diffusion &diffusion, const Batch &batch,
                          const FewStepsOptions &options, const at::Generator &generator);

} // namespace aianime::train
