// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "train/clip_pairs.h"
#include "train/pack_networks.h"
#include "train/temporal.h"

namespace aianime::train {

// Clips as temporal_loss wants them: latents, embeddings of sources and prompts, and where the frames lie in the first one, the
// anchor. No gradients.
TemporalBatch temporal_batch(const PackNetworks &networks, const ClipBatch &clips, const nn::CfaConfig &config);

} // namespace aianime::train
