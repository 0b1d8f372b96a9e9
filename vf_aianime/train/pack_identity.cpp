// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_identity.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "nn/aten.h"
#include "nn/local_text.h"
#include "pipeline/face_masks.h"
#include "train/offset_noise.h"
#include "train/pack_samples.h"

namespace aianime::train {

namespace {

constexpr double likeness_weight = 1, sameness_weight = 0.1;
constexpr double last_step = 0.7; // how often the last step is the one that is looked at; else the one before
constexpr double volume = 3;      // of the words at first: as loud as the text's they are not heard beside 77 of those

at::Tensor descriptors_of_sources(const PackNetworks &networks, const IdentityJudge &judge, const FacePairs::FaceBatch &faces) {
    const at::NoGradGuard no_gradient;
    return judge.descriptors(faces.batch.source.to(networks.device), faces.points);
}

at::Tensor to_unit(const at::Tensor &picture) { return (picture * 0.5 + 0.5).clamp(0, 1); }

// Each crop reads the words of its own person only, where the face is, as in the filter.
nn::LocalText words_in_faces(const at::Tensor &words, const FacePairs::FaceBatch &faces, const at::Tensor &latents) {
    const int64_t n = latents.size(0);
    const cv::Size cells(static_cast<int>(latents.size(3)), static_cast<int>(latents.size(2)));
    const int cell = static_cast<int>(faces.batch.source.size(3) / latents.size(3));
    at::Tensor masks = at::zeros({n, n, latents.size(2), latents.size(3)});
    for (int64_t i = 0; i < n; i++) {
        cv::Mat mask = pipeline::face_mask(faces.boxes[static_cast<size_t>(i)], cells * cell, cells, cell);
        masks[i][i].copy_(at::from_blob(mask.ptr(), {cells.height, cells.width}, at::kFloat));
    }
    return {words.flatten(0, 1), std::vector<int64_t>(static_cast<size_t>(n), words.size(1)), masks.to(latents.device())};
}

} // namespace

double first_volume(const std::string &name) { return name == "norm.weight" ? volume : 1; }

at::Tensor identity_loss(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                         const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps,
                         const at::Generator &generator) {
    const at::Tensor persons = descriptors_of_sources(networks, judge, faces);
    const std::vector<int64_t> run = diffusion.trailing(steps);
    const bool last = at::rand({1}, generator, at::kFloat).item<double>() < last_step;
    const at::Tensor time = at::tensor({run[static_cast<size_t>(std::max<int64_t>(0, steps - (last ? 1 : 2)))]}, at::kLong);
    const at::Tensor signal = diffusion.signal(time).to(networks.device), spread = diffusion.noise(time).to(networks.device);
    at::Tensor x, text, usual;
    nn::ControlResiduals seen;
    const auto named = [&](const nn::LocalText *words) {
        nn::ControlResiduals residuals = seen;
        const at::Tensor at_time = time.to(networks.device, at::kFloat).expand({x.size(0)});
        const at::Tensor output = networks.unet->forward(x, at_time, text, nullptr, &residuals, nullptr, nullptr, words);
        return signal * x - spread * diffusion.velocity(output, x, at_time);
    };
    {
        const at::NoGradGuard no_gradient;
        const at::Tensor clean = networks.encode(faces.batch.target.to(networks.device).contiguous(at::MemoryFormat::ChannelsLast));
        x = signal * clean + spread * offset_noise(clean.sizes(), networks.noise_offset, {}, generator).to(networks.device);
        text = networks.encode_text(faces.batch.prompts);
        const at::Tensor hint = networks.control->embed_hint(faces.batch.source.to(networks.device));
        seen = networks.control->forward(x, time.to(networks.device, at::kFloat).expand({x.size(0)}), text, hint, nullptr);
        usual = named(nullptr);
    }
    const nn::LocalText words = words_in_faces(tokens.forward(persons), faces, x);
    const at::Tensor made = named(&words);
    return likeness_weight * judge.loss(to_unit(networks.decode(made)), faces.points, persons) +
           sameness_weight * (made - usual).square().mean();
}

IdentityGain identity_gain(const PackNetworks &networks, const nn::IdentityTokens &tokens, const IdentityJudge &judge,
                           const Diffusion &diffusion, const FacePairs::FaceBatch &faces, int64_t steps) {
    const at::NoGradGuard no_gradient;
    const at::Tensor persons = descriptors_of_sources(networks, judge, faces), text = networks.encode_text(faces.batch.prompts);
    const at::Tensor like = networks.encode(faces.batch.target.to(networks.device));
    const at::Tensor noise = offset_noise(like.sizes(), networks.noise_offset, {}, generator_for(7, 0, 0));
    const auto distance = [&](const nn::LocalText *words) {
        const at::Tensor made = networks.decode(sample_latents(networks, diffusion, faces.batch.source, text, noise, steps, words));
        return likeness(judge.descriptors(to_unit(made), faces.points), persons);
    };
    const nn::LocalText own = words_in_faces(tokens.forward(persons), faces, like);
    const nn::LocalText others = words_in_faces(tokens.forward(at::roll(persons, {1}, {0})), faces, like);
    return {distance(nullptr), distance(&own), distance(&others)};
}

} // namespace aianime::train
