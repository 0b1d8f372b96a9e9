// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/few_steps.h"

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "train/offset_noise.h"
#include "train/pack_samples.h"

namespace aianime::train {

at::Tensor few_steps_loss(const PackNetworks &student, const Diffusion &diffusion, const Batch &batch,
                          const FewStepsOptions &options, const at::Generator &generator) {
    const at::Tensor target = batch.target.to(student.device).contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t n = target.size(0);
    const std::vector<int64_t> timesteps = diffusion.trailing(options.steps);
    const int64_t last = at::randint(0, options.steps, {1}, generator, at::kLong).item<int64_t>();

    at::Tensor x, clean;
    {
        const at::NoGradGuard no_gradient;
        clean = student.encode(target);
        x = offset_noise(clean.sizes(), student.noise_offset, batch.hues, generator).to(student.device);
        const at::Tensor text = student.encode_text(batch.prompts),
                         hint = student.control->embed_hint(batch.source.to(student.device));
        for (int64_t i = 0; i < last; i++) {
            const auto k = static_cast<size_t>(i);
            const at::Tensor t = at::full({n}, timesteps[k], x.options());
            x = ddim_step(diffusion, x, student.velocity(x, t, text, hint), timesteps[k], timesteps[k + 1]);
        }
    }
    const int64_t now = timesteps[static_cast<size_t>(last)];
    const at::Tensor text = student.encode_text(batch.prompts), hint = student.control->embed_hint(batch.source.to(student.device));
    const at::Tensor found = ddim_step(diffusion, x, student.velocity(x, at::full({n}, now, x.options()), text, hint), now, -1);
    const at::Tensor latent_loss = (found - clean).square().mean();
    const at::Tensor places = determined(batch, student.noise_offset).nonzero().flatten().to(student.device);
    if (!places.size(0) || options.picture_weight <= 0)
        return latent_loss;
    // Every other picture is decoded from the encoder's own latents, so that the decoder remains one of those too.
    const at::Tensor own = at::arange(places.size(0), places.options()).remainder(2).view({-1, 1, 1, 1}) == 1;
    const at::Tensor latents = at::where(own, clean.index_select(0, places), found.index_select(0, places));
    return latent_loss + options.picture_weight * picture_loss(student.decode(latents), target.index_select(0, places));
}

} // namespace aianime::train
