// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/temporal.h"

#include <ATen/core/grad_mode.h>

#include <filesystem>

#include "io/atomic_file.h"
#include "nn/aten.h"
#include "pipeline/frame_flows.h"
#include "train/offset_noise.h"
#include "train/pack_samples.h"
#include "train/state_file.h"

namespace aianime::train {

namespace {

// The frames of every clip but one: [clips, frames, ...] -> [clips * (frames - 1), ...].
at::Tensor without(const at::Tensor &x, int64_t frame) {
    return at::cat({x.slice(1, 0, frame), x.slice(1, frame + 1)}, 1).flatten(0, 1);
}

// The networks at one time step a clip, with what anchors leave behind for the frames.
class Step {
public:
    Step(const TemporalNetworks &networks, const Diffusion &diffusion, const TemporalBatch &batch, int64_t clips, int64_t frames,
         bool together)
        : networks_(networks), diffusion_(diffusion), batch_(batch), clips_(clips), frames_(frames), together_(together) {
        frames_pass_.module = &networks.cfa;
        frames_pass_.branches = clips;
        frames_pass_.frames = frames - 1;
        frames_pass_.neighbours = batch.motion.neighbours;
        frames_pass_.places = {batch.motion.places.flow.to(batch.text.device()), batch.motion.places.valid.to(batch.text.device())};
        frames_pass_.anchors = &store_;
        anchor_pass_ = frames_pass_;
        anchor_pass_.frames = 1;
        anchor_pass_.neighbours.clear();
        anchor_pass_.places = {};
        anchor_pass_.record = true;
    }

    // v of the anchors, [clips, channels, h, w], and then of the other frames, [clips * (frames - 1), ...]. times: float32 [clips].
    at::Tensor anchors(const at::Tensor &x, const at::Tensor &times) {
        store_ = {};
        unet_store_ = {};
        control_store_ = {};
        const at::Tensor hint = batch_.hint.defined() ? by_clip(batch_.hint).select(1, batch_.motion.anchor) : at::Tensor();
        return predict(x, times, hint, anchor_pass_);
    }
    at::Tensor others(const at::Tensor &x, const at::Tensor &times) {
        const at::Tensor hint = batch_.hint.defined() ? without(by_clip(batch_.hint), batch_.motion.anchor) : at::Tensor();
        return predict(x, times.repeat_interleave(frames_ - 1), hint, frames_pass_);
    }

private:
    at::Tensor by_clip(const at::Tensor &x) const { return x.unflatten(0, {clips_, frames_}); }

    at::Tensor predict(const at::Tensor &x, const at::Tensor &times, const at::Tensor &hint, nn::CrossFrames &pass) {
        nn::FrameAttention attention;
        attention.mode = together_ ? nn::AttentionMode::flow : nn::AttentionMode::self;
        attention.branches = clips_;
        attention.frames = pass.frames;
        attention.record = together_ && pass.record;
        nn::ControlResiduals residuals;
        if (networks_.control && hint.defined()) {
            const at::NoGradGuard frozen;
            nn::FrameAttention own = attention;
            own.anchors = together_ ? &control_store_ : nullptr;
            residuals = networks_.control->forward(x, times, batch_.text, hint, &own);
        }
        attention.anchors = together_ ? &unet_store_ : nullptr;
        attention.cross = together_ ? &pass : nullptr;
        const at::Tensor output =
            networks_.unet.forward(x, times, batch_.text, &attention, residuals.down.empty() ? nullptr : &residuals);
        return diffusion_.velocity(output, x, times);
    }

    const TemporalNetworks &networks_;
    const Diffusion &diffusion_;
    const TemporalBatch &batch_;
    const int64_t clips_, frames_;
    const bool together_;
    nn::CfaStore store_;
    nn::AnchorStore unet_store_, control_store_;
    nn::CrossFrames anchor_pass_, frames_pass_;
};

at::Tensor draw_timesteps(const Diffusion &diffusion, int64_t clips, const TemporalOptions &options,
                          const at::Generator &generator) {
    const at::Tensor any = at::randint(0, diffusion.size(), {clips}, generator, at::kLong);
    const at::Tensor used =
        at::tensor(diffusion.trailing(options.steps)).index_select(0, at::randint(0, options.steps, {clips}, generator, at::kLong));
    return at::where(at::rand({clips}, generator, at::kFloat) < options.any_step, any, used);
}

// How much of the noisy latents' palette is the frames' own, [clips, 1, 1, 1, 1]: all of it where there is nothing but noise.
at::Tensor own_share(const at::Tensor &spread, double conflict, const at::Generator &generator) {
    const at::Tensor variance = spread.square().cpu();
    const at::Tensor part = at::rand(variance.sizes(), generator, at::kFloat).pow((1 - variance) * 4);
    const at::Tensor in_conflict = at::rand(variance.sizes(), generator, at::kFloat) < conflict;
    return (variance * part * in_conflict).unsqueeze(-1).to(spread.device());
}

at::Tensor means(const at::Tensor &x, int64_t cells) {
    return at::avg_pool2d(x, {std::min(cells, x.size(2)), std::min(cells, x.size(3))});
}

} // namespace

ClipMotion clip_motion(const at::Tensor &sources, int64_t anchor, const nn::CfaConfig &config, int64_t height, int64_t width) {
    ClipMotion motion;
    motion.anchor = anchor;
    std::vector<at::Tensor> flows, valid;
    std::vector<int64_t> others;
    for (int64_t i = 0; i < sources.size(1); i++)
        if (i != anchor)
            others.push_back(i);
    for (int64_t clip = 0; clip < sources.size(0); clip++) {
        std::vector<at::Tensor> pictures;
        for (int64_t i = 0; i < sources.size(1); i++)
            pictures.push_back(sources[clip].slice(0, i, i + 1));
        pipeline::FrameFlows pairs(pictures, height, width);
        const nn::CrossFrames pass = pipeline::cross_frames(pairs, others, config.neighbours, {anchor});
        motion.neighbours = pass.neighbours;
        flows.push_back(pass.places.flow);
        valid.push_back(pass.places.valid);
    }
    motion.places = {at::cat(flows), at::cat(valid)};
    return motion;
}

at::Tensor temporal_loss(const TemporalNetworks &networks, const Diffusion &diffusion, const TemporalBatch &batch,
                         const TemporalOptions &options, const at::Generator &generator) {
    const int64_t clips = batch.clean.size(0), frames = batch.clean.size(1), anchor = batch.motion.anchor;
    const at::Device device = batch.clean.device();
    const at::Tensor timesteps = draw_timesteps(diffusion, clips, options, generator);
    const at::Tensor signal = diffusion.signal(timesteps).to(device), spread = diffusion.noise(timesteps).to(device);
    const at::Tensor times = timesteps.to(device, at::kFloat);
    const at::Tensor noise = offset_noise(batch.clean.flatten(0, 1).sizes(), options.noise_offset,
                                          batch.hues.defined() ? batch.hues.flatten(0, 1) : at::Tensor(), generator)
                                 .to(device)
                                 .view(batch.clean.sizes());
    const at::Tensor share = own_share(spread, options.conflict, generator);

    Step step(networks, diffusion, batch, clips, frames, true);
    step.anchors(signal * batch.clean.select(1, anchor) + spread * noise.select(1, anchor), times);

    const auto each = [&](const at::Tensor &x) { return x.repeat_interleave(frames - 1, 0); };
    const at::Tensor s = each(signal), n = each(spread), clean = without(batch.clean, anchor);
    const at::Tensor shown = batch.other.defined() ? without(at::lerp(batch.clean, batch.other, share), anchor) : clean;
    const at::Tensor x = s * shown + n * without(noise, anchor);
    const at::Tensor v = step.others(x, times), wanted = (s * x - clean) / n;
    const at::Tensor difference = diffusion.error(v - wanted, timesteps.repeat_interleave(frames - 1));
    return difference.square().mean() + options.color_weight * means(difference, options.color_cells).square().mean();
}

at::Tensor sample_clips(const TemporalNetworks &networks, const Diffusion &diffusion, const TemporalBatch &batch,
                        const at::Tensor &noise, int64_t steps, bool together) {
    const at::NoGradGuard no_gradient;
    const int64_t clips = noise.size(0), frames = noise.size(1), anchor = batch.motion.anchor;
    const std::vector<int64_t> list = diffusion.trailing(steps);
    at::Tensor x = noise;
    Step step(networks, diffusion, batch, clips, frames, together);
    for (size_t i = 0; i < list.size(); i++) {
        const at::Tensor times = at::full({clips}, static_cast<double>(list[i]), noise.options());
        const at::Tensor of_anchor = step.anchors(x.select(1, anchor), times).unsqueeze(1);
        const at::Tensor of_others = step.others(without(x, anchor), times).unflatten(0, {clips, frames - 1});
        const at::Tensor v = at::cat({of_others.slice(1, 0, anchor), of_anchor, of_others.slice(1, anchor)}, 1);
        x = ddim_step(diffusion, x.flatten(0, 1), v.flatten(0, 1), list[i], i + 1 < list.size() ? list[i + 1] : -1)
                .reshape(x.sizes());
    }
    return x;
}

double cfa_gain(const std::string &name) {
    return name.find("to_out.") != std::string::npos || name.find("gates") != std::string::npos ? 0 : 1;
}

void write_cfa(nn::CfaModule &module, const std::string &folder) {
    std::filesystem::create_directories(folder);
    Parameters tensors;
    module.module().visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensors.emplace_back(name, tensor.detach());
    });
    write_bfloat16(folder + "/diffusion_pytorch_model.safetensors", tensors, {{"format", "pt"}});
    const std::string config = module.config().to_json();
    io::AtomicFile file(folder + "/config.json");
    file.write(config.data(), config.size());
    file.commit();
}

} // namespace aianime::train
