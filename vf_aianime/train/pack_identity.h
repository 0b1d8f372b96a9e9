// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nn/identity_tokens.h"
#include "train/face_pairs.h"
#include "train/identity.h"
#include "train/pack_losses.h"

namespace aianime::train {

// Who the faces are, as words that only the places of faces read (nn::LocalText): the mapping is trained, all else is frozen. What
// is made at one of the last two of `steps` steps must show the source's person (the judge's loss), and otherwise stay what is made
// without words.
at::Tensor identity_loss(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                         const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps,
                         const at::Generator &generator);

// For initialise(): how loud the words are before training.
double first_volume(const std::string &name);

// Distance of descriptors between sources and what is made of them in `steps` steps: without words, with each person's own, and
// with those of the next one in the batch.
struct IdentityGain {
    Likeness without, with, with_others;
};
IdentityGain identity_gain(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                           const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps);

} // namespace aianime::train
