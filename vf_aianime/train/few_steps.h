// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include "train/pack_losses.h"

namespace aianime::train {

struct FewStepsOptions {
    int64_t steps = 4;         // of the student
    int64_t teacher_steps = 8; // of the frozen base, for what the source does not determine
    double picture_weight = 1;
};

// Distillation to a few deterministic steps. The student is brought to a random one of its steps by its own hand (so that it learns
// to mend its own mistakes, not those of ideal noise) and must name the clean latents from there: the target's where source and
// prompt determine it, and where they do not, those that the base reaches from the same noise in `teacher_steps` steps, as in
// consistency distillation (arXiv 2310.04378) along the student's own trajectory. Decoded pictures of determined targets are
// compared too, for lines are lost in latents first, and the decoder learns with them to draw from what the student names.
at::Tensor few_steps_loss(const PackNetworks &student, const PackNetworks &base, const Diffusion &diffusion, const Batch &batch,
                          const FewStepsOptions &options, const at::Generator &generator);

} // namespace aianime::train
