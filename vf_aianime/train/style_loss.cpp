// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_loss.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "nn/aten.h"
#include "pipeline/picture_tensor.h"
#include "train/random.h"

namespace aianime::train {

namespace {

at::Tensor normal(at::IntArrayRef sizes, const at::Generator &generator) { return at::randn(sizes, generator, at::kFloat); }

} // namespace

at::Tensor min_snr_weights(const at::Tensor &snr, double gamma, diffusion::Prediction prediction) {
    if (gamma <= 0)
        return at::ones_like(snr);
    const at::Tensor capped = snr.clamp_max(gamma);
    switch (prediction) {
    case diffusion::Prediction::epsilon:
        return capped / snr.clamp_min(1e-8); // at pure noise the noise is known: nothing is lost
    case diffusion::Prediction::v:
        return capped / (snr + 1);
    case diffusion::Prediction::sample:
        break;
    }
    return capped;
}

at::Tensor prediction_target(diffusion::Prediction prediction, const at::Tensor &clean, const at::Tensor &noise,
                             const at::Tensor &signal, const at::Tensor &spread) {
    switch (prediction) {
    case diffusion::Prediction::epsilon:
        return noise;
    case diffusion::Prediction::v:
        return signal * noise - spread * clean;
    case diffusion::Prediction::sample:
        break;
    }
    return clean;
}

// Of a base for few steps the timesteps of such a run count more than others, and unless it predicts noise the first of them, pure
// noise, most: what words and hints say is learned there, for the slightest trace of the clean latents gives the style away.
at::Tensor draw_style_timesteps(const Diffusion &diffusion, int64_t count, int64_t few_steps, diffusion::Prediction prediction,
                                const at::Generator &generator) {
    if (!few_steps)
        return at::randint(0, diffusion.size(), {count}, generator, at::kLong);
    return draw_timesteps(diffusion, count, few_steps, prediction == diffusion::Prediction::epsilon ? 0 : 0.5, generator);
}

StyleNetworks::StyleNetworks(const pipeline::Models &models, const LoraLayers &lora, const StyleLossOptions &options)
    : models_(models), lora_(lora), options_(options), diffusion_(models.scheduler_config()),
      prompts_(models.tokenizer(), models.text_encoder(), models.device(), options.clip_skip) {}

at::Tensor StyleNetworks::encode_one(const std::string &prompt, int64_t chunks) const {
    if (options_.text_encoder)
        return prompts_.encode(prompt, chunks).embedding;
    at::Tensor &kept = texts_[{prompt, chunks}];
    if (!kept.defined()) {
        const at::NoGradGuard no_gradient;
        kept = prompts_.encode(prompt, chunks).embedding;
    }
    return kept;
}

// Short prompts get as many chunks as the longest one.
at::Tensor StyleNetworks::encode(const std::vector<std::string> &prompts) const {
    std::vector<at::Tensor> rows;
    int64_t longest = 0;
    for (const std::string &prompt : prompts) {
        rows.push_back(encode_one(prompt, 1));
        longest = std::max(longest, rows.back().size(1));
    }
    const int64_t chunks = longest / models_.text_encoder().max_tokens();
    for (size_t i = 0; i < rows.size(); i++)
        if (rows[i].size(1) < longest)
            rows[i] = encode_one(prompts[i], chunks);
    return at::cat(rows);
}

at::Tensor StyleNetworks::predict(const at::Tensor &x, const at::Tensor &timesteps, const at::Tensor &text,
                                  const at::Tensor &sources) const {
    nn::ControlResiduals residuals;
    if (sources.defined())
        for (const pipeline::Models::Control &control : models_.controls())
            nn::accumulate(residuals, control.net->forward(x, timesteps, text, control.net->embed_hint(sources), nullptr),
                           control.settings.scale);
    return models_.unet().forward(x, timesteps, text, nullptr, residuals.down.empty() ? nullptr : &residuals);
}

at::Tensor StyleNetworks::loss(const StyleBatch &batch, const at::Generator &generator) const {
    const at::Device device = models_.device();
    const diffusion::Prediction prediction = models_.scheduler_config().prediction;
    const at::Tensor &clean = batch.latents;
    at::Tensor noise = normal(clean.sizes(), generator);
    if (options_.noise_offset > 0)
        noise = noise + options_.noise_offset * normal({clean.size(0), clean.size(1), 1, 1}, generator);
    const at::Tensor times = draw_style_timesteps(diffusion_, clean.size(0), options_.few_steps, prediction, generator);
    const at::Tensor signal = diffusion_.signal(times), spread = diffusion_.noise(times);
    const at::Tensor target = prediction_target(prediction, clean, noise, signal, spread);
    const at::Tensor weights = min_snr_weights((signal / spread).square().flatten(), options_.min_snr, prediction);

    lora_.apply();
    const at::Tensor sources = batch.sources.defined() ? batch.sources.to(device) : at::Tensor();
    const at::Tensor found =
        predict((signal * clean + spread * noise).to(device), times.to(device, at::kFloat), encode(batch.prompts), sources);
    const at::Tensor errors = (found.to(at::kFloat) - target.to(device)).square().mean({1, 2, 3});
    return (errors * weights.to(device)).mean();
}

cv::Mat StyleNetworks::sample(const std::string &prompt, cv::Size size, const cv::Mat &source, const SampleOptions &options,
                              uint64_t seed) const {
    const at::NoGradGuard no_gradient;
    lora_.apply();
    const at::Device device = models_.device();
    const int64_t stride = models_.vae().stride();
    const std::vector<int64_t> shape = {1, models_.vae().latent_channels(), size.height / stride, size.width / stride};
    const bool guided = options.guidance > 1;
    const at::Tensor text = encode(guided ? std::vector<std::string>{"", prompt} : std::vector<std::string>{prompt});
    const int64_t branches = text.size(0);
    const at::Tensor hint = source.empty() ? at::Tensor() : pipeline::to_tensor(source).to(device).repeat({branches, 1, 1, 1});
    const auto fresh = [&](int64_t step) { return normal(shape, generator_for(seed, step + 1, 0)); };

    const std::unique_ptr<diffusion::Scheduler> scheduler = models_.make_scheduler();
    scheduler->start(options.steps, 1);
    at::Tensor latents = scheduler->first_latents(at::zeros(shape, at::kFloat), fresh(-1));
    for (size_t i = 0; i < scheduler->timesteps().size(); i++) {
        const auto step = static_cast<int64_t>(i);
        const at::Tensor x = scheduler->scale_model_input(latents, step).to(device).repeat({branches, 1, 1, 1});
        const at::Tensor times = at::full({branches}, scheduler->timesteps()[i], at::kFloat).to(device);
        at::Tensor output = predict(x, times, text, hint).to(at::kCPU, at::kFloat);
        if (guided)
            output = output.slice(0, 0, 1) + options.guidance * (output.slice(0, 1, 2) - output.slice(0, 0, 1));
        latents = scheduler->step(output, latents, step, fresh);
    }
    const at::Tensor picture = models_.vae().decode(latents.to(device)).to(at::kCPU, at::kFloat);
    return pipeline::to_picture(picture * 0.5 + 0.5);
}

} // namespace aianime::train
