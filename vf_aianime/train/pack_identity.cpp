// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_identity.h"

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "train/offset_noise.h"
#include "train/pack_samples.h"

namespace aianime::train {

namespace {

constexpr double likeness_weight = 0.1;

at::Tensor descriptors_of_sources(const PackNetworks &networks, const IdentityJudge &judge, const FacePairs::FaceBatch &faces) {
    const at::NoGradGuard no_gradient;
    return judge.descriptors(faces.batch.source.to(networks.device), faces.points);
}

at::Tensor to_unit(const at::Tensor &picture) { return (picture * 0.5 + 0.5).clamp(0, 1); }

} // namespace

at::Tensor identity_loss(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                         const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps,
                         const at::Generator &generator) {
    const int64_t n = faces.batch.source.size(0);
    const at::Tensor persons = descriptors_of_sources(networks, judge, faces);
    const at::Tensor times =
        at::tensor(diffusion.trailing(steps)).index_select(0, at::randint(0, steps, {n}, generator, at::kLong));
    const at::Tensor signal = diffusion.signal(times).to(networks.device), spread = diffusion.noise(times).to(networks.device);
    at::Tensor clean, noise, text, hint;
    {
        const at::NoGradGuard no_gradient;
        clean = networks.encode(faces.batch.target.to(networks.device).contiguous(at::MemoryFormat::ChannelsLast));
        noise = offset_noise(clean.sizes(), networks.noise_offset, {}, generator).to(networks.device);
        text = networks.encode_text(faces.batch.prompts);
        hint = networks.control->embed_hint(faces.batch.source.to(networks.device));
    }
    const at::Tensor x = signal * clean + spread * noise;
    const at::Tensor v =
        networks.velocity(x, times.to(networks.device, at::kFloat), nn::with_identity(text, tokens.forward(persons)), hint);
    const at::Tensor made = networks.decode(signal * x - spread * v);
    return (v - signal * noise + spread * clean).square().mean() +
           likeness_weight * judge.loss(to_unit(made), faces.points, persons);
}

IdentityGain identity_gain(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                           const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps) {
    const at::NoGradGuard no_gradient;
    const at::Tensor persons = descriptors_of_sources(networks, judge, faces), text = networks.encode_text(faces.batch.prompts);
    const at::Tensor like = networks.encode(faces.batch.target.to(networks.device));
    const at::Tensor noise = offset_noise(like.sizes(), networks.noise_offset, {}, generator_for(7, 0, 0));
    const auto distance = [&](const at::Tensor &words) {
        const at::Tensor made = networks.decode(sample_latents(networks, diffusion, faces.batch.source, words, noise, steps));
        return likeness(judge.descriptors(to_unit(made), faces.points), persons);
    };
    return {distance(text), distance(nn::with_identity(text, tokens.forward(persons)))};
}

} // namespace aianime::train
