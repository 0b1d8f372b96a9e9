// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nn/identity_tokens.h"
#include "train/face_pairs.h"
#include "train/identity.h"
#include "train/pack_losses.h"

namespace aianime::train {

// Who the faces are, as tokens behind the prompt's: the mapping is trained, all else is frozen. What is made at a random one of
// `steps` steps must show the source's person (the judge's loss) and still be the target (v-prediction).
at::Tensor identity_loss(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                         const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps,
                         const at::Generator &generator);

// Distance of descriptors between sources and what is made of them in `steps` steps, without tokens and with them.
struct IdentityGain {
    Likeness without, with;
};
IdentityGain identity_gain(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                           const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps);

} // namespace aianime::train
