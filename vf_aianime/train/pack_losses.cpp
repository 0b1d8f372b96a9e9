// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_losses.h"

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "train/offset_noise.h"

namespace aianime::train {

namespace {

at::Tensor gradient_difference(const at::Tensor &a, int64_t dim) { return a.diff(1, dim).abs().mean(); }

at::Tensor normal_like(const at::Tensor &x, const at::Generator &generator) {
    return at::randn(x.sizes(), generator, at::kFloat).to(x.device());
}

} // namespace

at::Tensor picture_loss(const at::Tensor &picture, const at::Tensor &target) {
    const at::Tensor difference = picture - target;
    return difference.abs().mean() + 4 * difference.square().mean() +
           0.5 * (gradient_difference(difference, 2) + gradient_difference(difference, 3));
}

at::Tensor determined(const Batch &batch, double noise_offset) {
    const at::Tensor told = batch.undetermined.logical_not();
    return noise_offset > 0 && batch.hues.defined() ? at::logical_or(told, batch.hues.select(1, 0) >= 0) : told;
}

at::Tensor autoencoder_loss(const PackNetworks &networks, const Batch &batch, const at::Generator &generator) {
    const at::Tensor sources = batch.source.slice(0, 0, batch.source.size(0) / 4) * 2 - 1;
    const at::Tensor pictures =
        at::cat({sources, batch.target.slice(0, sources.size(0))}).to(networks.device).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor latent = networks.vae->encode(pictures);
    const at::Tensor strength = at::rand({latent.size(0), 1, 1, 1}, generator, at::kFloat).to(networks.device) * 0.04;
    const at::Tensor decoded = networks.vae->decode(latent + strength * normal_like(latent, generator));
    const at::Tensor center = latent.mean({0, 2, 3}), spread = latent.std({0, 2, 3}, false);
    const at::Tensor beyond = (latent.abs() - 2.5).clamp_min(0).mean();
    return picture_loss(decoded, pictures) + 0.01 * (center.square().mean() + (spread - 1).square().mean()) + 0.1 * beyond;
}

at::Tensor draw_timesteps(const Diffusion &diffusion, int64_t n, int64_t steps, double pure_noise, const at::Generator &generator) {
    const at::Tensor any = at::randint(0, diffusion.size(), {n}, generator, at::kLong);
    const at::Tensor used = at::tensor(diffusion.trailing(steps)).index_select(0, at::randint(0, steps, {n}, generator, at::kLong));
    const at::Tensor choice = at::rand({n}, generator, at::kFloat);
    const at::Tensor rest = at::where(choice < pure_noise + 0.5 * (1 - pure_noise), used, any);
    return at::where(choice < pure_noise, at::full_like(any, diffusion.size() - 1), rest);
}

at::Tensor denoiser_loss(const PackNetworks &networks, const Diffusion &diffusion, const Batch &batch, int64_t steps,
                         double pure_noise, double picture_weight, const at::Generator &generator) {
    at::Tensor clean;
    {
        const at::NoGradGuard no_gradient;
        clean = networks.encode(batch.target.to(networks.device).contiguous(at::MemoryFormat::ChannelsLast));
    }
    const int64_t n = clean.size(0);
    const at::Tensor timesteps = draw_timesteps(diffusion, n, steps, pure_noise, generator);
    const at::Tensor signal = diffusion.signal(timesteps).to(networks.device),
                     spread = diffusion.noise(timesteps).to(networks.device);
    const at::Tensor noise = offset_noise(clean.sizes(), networks.noise_offset, batch.hues, generator).to(networks.device);
    const at::Tensor v = signal * noise - spread * clean;
    const at::Tensor hint = networks.control->embed_hint(batch.source.to(networks.device));
    const at::Tensor found = networks.velocity(signal * clean + spread * noise, timesteps.to(networks.device, at::kFloat),
                                               networks.encode_text(batch.prompts), hint);
    const at::Tensor loss = diffusion.error(found - v, timesteps).square().mean();
    // Of what is named from pure noise the picture counts too: latents do not weigh as eyes do.
    const at::Tensor places = at::logical_and(timesteps == diffusion.size() - 1, determined(batch, networks.noise_offset))
                                  .nonzero()
                                  .flatten()
                                  .to(networks.device);
    if (!places.size(0) || picture_weight <= 0)
        return loss;
    const at::Tensor named = (signal * (signal * clean + spread * noise) - spread * found).index_select(0, places);
    const double share = picture_weight * static_cast<double>(places.size(0)) / static_cast<double>(n);
    return loss + share * picture_loss(networks.decode(named), batch.target.to(networks.device).index_select(0, places));
}

} // namespace aianime::train
