// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/temporal_batch.h"

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"

namespace aianime::train {

TemporalBatch temporal_batch(const PackNetworks &networks, const ClipBatch &clips, const nn::CfaConfig &config) {
    const at::NoGradGuard no_gradient;
    const auto latents = [&](const at::Tensor &pictures) {
        const at::Tensor all = pictures.flatten(0, 1).to(networks.device).contiguous(at::MemoryFormat::ChannelsLast);
        return networks.encode(all).unflatten(0, {clips.source.size(0), -1});
    };
    TemporalBatch batch;
    batch.clean = latents(clips.target);
    batch.other = latents(clips.other);
    batch.hues = clips.hues;
    batch.hint = networks.control->embed_hint(clips.source.flatten(0, 1).to(networks.device));
    batch.text = networks.encode_text(clips.prompts);
    batch.motion = clip_motion(clips.source, 0, config, batch.clean.size(3), batch.clean.size(4));
    for (at::Tensor *part : {&batch.motion.places.flow, &batch.motion.places.valid})
        *part = part->to(networks.device);
    return batch;
}

} // namespace aianime::train
