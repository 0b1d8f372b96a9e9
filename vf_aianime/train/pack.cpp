// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "nn/aten.h"
#include "pipeline/faces.h"
#include "train/clip_pairs.h"
#include "train/few_steps.h"
#include "train/pack_identity.h"
#include "train/pack_losses.h"
#include "train/pack_samples.h"
#include "train/pack_writer.h"
#include "train/temporal.h"
#include "train/temporal_batch.h"
#include "train/temporal_gain.h"

namespace aianime::train {

namespace {

constexpr int64_t inference_steps = 4;
constexpr double clip_rate = 10; // frames a second, as the filter generates them

// At the networks' rate embeddings are turned about within a few hundred steps, and words lose what tells them apart.
double text_rate(const std::string &name) { return name.rfind("text_encoder.", 0) == 0 ? 0.07 : 1; }

class PackTraining {
public:
    PackTraining(const PackOptions &options, const Report &report)
        : options_(options), report_(report), networks_(options.shape, options.seed, options.device),
          diffusion_(networks_.scheduler), pairs_(options.pairs, report) {
        if (!options.from.empty())
            networks_.load(options.from);
        if (!networks_.scheduler.rescale_betas_zero_snr)
            report_.say(options.shape +
                        "/scheduler: the last timestep is not pure noise (rescale_betas_zero_snr); styles can be read "
                        "off it, and words will be learnt slowly");
    }

    LoopEnd run() {
        if (report_.stopped())
            return LoopEnd::stopped;
        LoopEnd end = autoencoder();
        if (end == LoopEnd::done && wanted("denoiser"))
            end = denoiser();
        if (end == LoopEnd::done && wanted("distillation"))
            end = distillation();
        if (end == LoopEnd::done && wanted("temporal"))
            end = temporal();
        if (end == LoopEnd::done && wanted("identity"))
            end = identity();
        return end;
    }

private:
    bool wanted(const char *stage) const {
        return options_.stages.empty() || std::count(options_.stages.begin(), options_.stages.end(), stage);
    }

    // Every other step sees small crops, the others few larger ones: what light makes of a picture's tones is told by the whole of
    // it. Each crop comes in two styles, so that what differs between them is the words.
    BatchOptions batch_options(int64_t step) const {
        BatchOptions batch;
        const double area = static_cast<double>(options_.batch) * 128 * 128;
        batch.side = step % 2 ? 192 : 112;
        batch.looks = 2;
        batch.pictures = 2 * std::max<int64_t>(1, std::lround(area / batch.side / batch.side / 2));
        return batch;
    }

    Batch batch(uint64_t stage, int64_t step, int64_t micro, double free_palettes = BatchOptions().free_palettes) const {
        BatchOptions how = batch_options(step);
        how.free_palettes = free_palettes;
        return pairs_.batch(how, mix(options_.seed, stage, mix(static_cast<uint64_t>(step), static_cast<uint64_t>(micro))));
    }

    LoopOptions loop_options(const char *title, int64_t steps) const {
        LoopOptions loop;
        loop.title = title;
        loop.folder = options_.work;
        loop.steps = steps;
        loop.minutes = options_.minutes;
        loop.bf16 = options_.bf16;
        loop.average = 0.998;
        loop.sample_every = 500;
        return loop;
    }

    LoopEnd autoencoder() {
        if (!options_.from.empty() && !wanted("autoencoder")) {
            measure_latents();
            return LoopEnd::done;
        }
        LoopOptions loop = loop_options("autoencoder", options_.autoencoder_steps);
        loop.learning_rate = 1e-3;
        const auto loss = [this](int64_t step, int64_t micro) {
            // Small crops hold all that it looks at, and more steps are worth more to it than more pixels.
            BatchOptions small;
            small.side = 96;
            small.pictures = std::max<int64_t>(2, options_.batch / 2);
            const uint64_t seed = mix(options_.seed, 1, mix(static_cast<uint64_t>(step), static_cast<uint64_t>(micro)));
            return autoencoder_loss(networks_, pairs_.batch(small, seed), generator_for(options_.seed + 1, step, micro));
        };
        const auto sample = [this](int64_t) { sample_autoencoder(networks_, pairs_, options_.work + "/autoencoder.png"); };
        const LoopEnd end = run_loop(networks_.train_autoencoder(), loop, loss, sample, report_);
        if (end == LoopEnd::done)
            measure_latents();
        return end;
    }

    // The spread of the latents becomes 1 by a factor, so that the noise schedule means what it says.
    void measure_latents() {
        const at::NoGradGuard no_gradient;
        networks_.freeze();
        networks_.latent_scale = 1;
        double squares = 0;
        constexpr int batches = 16;
        for (int i = 0; i < batches; i++) {
            const Batch seen = pairs_.batch(batch_options(0), mix(options_.seed, 99, static_cast<uint64_t>(i)));
            squares += networks_.encode(seen.target.to(networks_.device)).square().mean().item<double>() / batches;
        }
        networks_.latent_scale = 1 / std::sqrt(squares);
        sample_autoencoder(networks_, pairs_, options_.work + "/autoencoder.png");
        say_reconstruction("autoencoder");
    }

    void say_reconstruction(const char *stage) const {
        char text[96];
        std::snprintf(text, sizeof text, "%s: latents are scaled by %.4f; targets come back at %.2f dB", stage,
                      networks_.latent_scale, reconstruction_psnr(networks_, pairs_));
        report_.say(text);
    }

    LoopEnd denoiser() {
        LoopOptions loop = loop_options("denoiser", options_.denoiser_steps);
        loop.learning_rate = 1.2e-3;
        loop.warmup = 200;
        loop.average = 0.999;
        loop.rate_factor = text_rate;
        const auto loss = [this](int64_t step, int64_t micro) {
            // Words first: they are learnt from pure noise. What noisy latents tell comes with the time.
            const double done =
                options_.from.empty() ? static_cast<double>(step) / static_cast<double>(options_.denoiser_steps) : 1;
            return denoiser_loss(networks_, diffusion_, batch(2, step, micro), inference_steps, 0.7 - 0.4 * done, 1,
                                 generator_for(options_.seed + 2, step, micro));
        };
        const auto sample = [this](int64_t step) {
            sample_denoiser(networks_, diffusion_, pairs_, inference_steps,
                            options_.work + "/denoiser-" + std::to_string(step) + ".png");
        };
        const LoopEnd end = run_loop(networks_.train_denoiser(), loop, loss, sample, report_);
        if (end == LoopEnd::done)
            write();
        return end;
    }

    LoopEnd distillation() {
        networks_.freeze();
        LoopOptions loop = loop_options("distillation", options_.distillation_steps);
        loop.learning_rate = 5e-4;
        // The decoder is good already and learns the other latents by the way.
        loop.rate_factor = [](const std::string &name) { return name.rfind("vae.", 0) == 0 ? 0.1 : text_rate(name); };
        loop.average = 0.998;
        const auto loss = [&](int64_t step, int64_t micro) {
            // Palettes are learned here, and late.
            return few_steps_loss(networks_, diffusion_, batch(3, step, micro, 0.5), FewStepsOptions(),
                                  generator_for(options_.seed + 3, step, micro));
        };
        const auto sample = [this](int64_t step) {
            sample_denoiser(networks_, diffusion_, pairs_, inference_steps,
                            options_.work + "/distillation-" + std::to_string(step) + ".png");
        };
        const LoopEnd end = run_loop(networks_.train_few_steps(), loop, loss, sample, report_);
        if (end == LoopEnd::done) {
            write();
            say_reconstruction("distillation");
        }
        return end;
    }

    LoopEnd temporal() {
        networks_.freeze();
        const ClipPairs clips(options_.pairs, pairs_, clip_rate, report_);
        if (report_.stopped())
            return LoopEnd::stopped;
        const nn::CfaConfig config = nn::CfaConfig::for_unet(networks_.unet->config());
        nn::CfaModule cfa(config, networks_.unet->config(), "cfa");
        initialise(cfa.module(), mix(options_.seed, 4), options_.device, cfa_gain);
        LoopOptions loop = loop_options("temporal", options_.temporal_steps);
        loop.learning_rate = 1e-3;
        const TemporalNetworks networks = {*networks_.unet, networks_.control.get(), cfa};
        const auto loss = [&](int64_t step, int64_t micro) {
            const uint64_t seed = mix(options_.seed, 4, mix(static_cast<uint64_t>(step), static_cast<uint64_t>(micro)));
            ClipBatchOptions size;
            size.clips = std::max<int64_t>(1, options_.batch / size.frames);
            TemporalOptions how;
            how.noise_offset = networks_.noise_offset;
            return temporal_loss(networks, diffusion_, temporal_batch(networks_, clips.batch(size, seed), config), how,
                                 generator_for(options_.seed + 4, step, micro));
        };
        const auto shown = [&](int64_t count) {
            ClipBatchOptions size;
            size.clips = count;
            size.frames = 4;
            return clips.batch(size, 4242);
        };
        const auto sample = [&](int64_t step) {
            sample_temporal(networks_, cfa, diffusion_, shown(4), inference_steps,
                            options_.work + "/temporal-" + std::to_string(step) + ".png");
        };
        const LoopEnd end = run_loop(trainable(cfa.module(), ""), loop, loss, sample, report_);
        if (end != LoopEnd::done)
            return end;
        const TemporalGain gain = temporal_gain(networks_, cfa, diffusion_, shown(16), inference_steps);
        char text[160];
        std::snprintf(text, sizeof text,
                      "temporal: colours that nothing tells are %.1f dE apart by themselves, %.1f together (%lld regions)",
                      gain.alone, gain.together, static_cast<long long>(gain.regions));
        report_.say(text);
        write_cfa(cfa, options_.output + "/cfa");
        write();
        return end;
    }

    LoopEnd identity() {
        networks_.freeze();
        const FacePairs faces(pairs_, pipeline::face_folder(), report_);
        if (report_.stopped())
            return LoopEnd::stopped;
        const IdentityJudge judge(pipeline::face_folder(), options_.device);
        nn::IdentityConfig config;
        config.width = networks_.text->width();
        config.tokens = 16;
        nn::IdentityTokens tokens(config);
        initialise(tokens, mix(options_.seed, 5), options_.device, first_volume);
        LoopOptions loop = loop_options("identity", options_.identity_steps);
        loop.learning_rate = 3e-3;
        loop.warmup = 10;
        loop.average = 0.95;
        const auto loss = [&](int64_t step, int64_t micro) {
            const uint64_t seed = mix(options_.seed, 5, mix(static_cast<uint64_t>(step), static_cast<uint64_t>(micro)));
            return identity_loss(networks_, tokens, judge, diffusion_,
                                 faces.batch(std::max<int64_t>(2, options_.batch / 2), 160, seed), inference_steps,
                                 generator_for(options_.seed + 5, step, micro));
        };
        const LoopEnd end = run_loop(trainable(tokens, ""), loop, loss, nullptr, report_);
        if (end != LoopEnd::done)
            return end;
        const IdentityGain gain = identity_gain(networks_, tokens, judge, diffusion_, faces.batch(16, 192, 1), inference_steps);
        char text[160];
        std::snprintf(text, sizeof text,
                      "identity: distance to the source's faces %.4f without words, %.4f with them, %.4f with others'",
                      gain.without.distance, gain.with.distance, gain.with_others.distance);
        report_.say(text);
        write_identity(tokens, options_.output + "/identity");
        write();
        return end;
    }

    void write() {
        networks_.freeze();
        write_pack(networks_, options_.shape, options_.output);
        report_.say("written: " + options_.output);
    }

    const PackOptions options_;
    const Report report_;
    PackNetworks networks_;
    Diffusion diffusion_;
    PairSet pairs_;
};

} // namespace

const std::vector<std::string> &pack_stages() {
    static const std::vector<std::string> stages = {"autoencoder", "denoiser", "distillation", "temporal", "identity"};
    return stages;
}

LoopEnd train_pack(const PackOptions &options, const Report &report) {
    std::filesystem::create_directories(options.work);
    return PackTraining(options, report).run();
}

} // namespace aianime::train
