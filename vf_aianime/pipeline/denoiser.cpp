// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/denoiser.h"

#include <algorithm>
#include <numeric>

#include "diffusion/noise.h"
#include "diffusion/warped_noise.h"
#include "nn/aten.h"
#include "pipeline/frame_conditions.h"
#include "pipeline/frame_flows.h"
#include "pipeline/latent_fusion.h"
#include "pipeline/picture_tensor.h"
#include "pipeline/prompt_book.h"
#include "pipeline/shot_noise.h"
#include "pipeline/windows.h"

namespace aianime::pipeline {

namespace {

// Frames of one network call: enough to keep the cores busy, few enough that activations stay small.
int64_t frames_per_call(const at::Tensor &latents) {
    constexpr int64_t latent_pixels = 32768;
    return std::clamp<int64_t>(latent_pixels / (latents.size(2) * latents.size(3)), 1, 16);
}

std::vector<int64_t> consecutive(int64_t begin, int64_t end) {
    std::vector<int64_t> list(static_cast<size_t>(end - begin));
    std::iota(list.begin(), list.end(), begin);
    return list;
}

// Rows of a tensor; a view where they follow each other.
at::Tensor pick(const at::Tensor &tensor, const std::vector<int64_t> &rows) {
    const auto count = static_cast<int64_t>(rows.size());
    if (rows.back() - rows.front() + 1 == count)
        return tensor.slice(0, rows.front(), rows.back() + 1);
    return tensor.index_select(0, at::tensor(rows).to(tensor.device()));
}

// One segment on its way from noise to latents. "Tracks" are the segment's frames, followed by the key frame when it is not among
// them.
class SegmentRun {
public:
    SegmentRun(const Models &models, const Settings &settings, const Conditioning &conditioning,
               const std::vector<FrameRequest> &frames, const std::vector<FrameRequest> &anchors, Watch &watch)
        : models_(models), settings_(settings), conditioning_(conditioning), watch_(watch),
          frames_(static_cast<int64_t>(frames.size())), branches_(conditioning.branches()), tracks_(frames),
          first_((anchors.empty() ? frames : anchors).front().identity), scheduler_(models.make_scheduler()) {
        if (has_anchors())
            place_anchors(anchors);
        if (settings.style.noise == NoiseMode::warped)
            noise_places_ = places_in_first_frame((anchors.empty() ? frames : anchors).front(), tracks_, models.vae().stride(),
                                                  models.flow(), watch);
    }

    at::Tensor run() {
        embed_hints();
        scheduler_->start(settings_.steps, settings_.strength);
        start_latents();
        keep_known(0);
        if (frames_need_windows())
            place_windows();
        if (follows() || settings_.style.latent_fusion > 0)
            look_at_motion();
        const auto steps = static_cast<int64_t>(scheduler_->timesteps().size());
        for (int64_t i = 0; i < steps; ++i) {
            const at::Tensor output = fused(predict(i), i);
            latents_ =
                scheduler_->step(output, latents_, i, [this](int64_t step) { return noise(static_cast<uint32_t>(1 + step)); });
            keep_known(i + 1);
        }
        return latents_.slice(0, 0, frames_);
    }

private:
    bool has_anchors() const {
        const nn::AttentionMode mode = settings_.style.attention;
        return mode == nn::AttentionMode::anchors || mode == nn::AttentionMode::flow;
    }

    void place_anchors(const std::vector<FrameRequest> &anchors) {
        for (const FrameRequest &anchor : anchors)
            place_anchor(anchor);
        const int64_t first = tracks_.front().identity;
        if (std::none_of(anchors.begin(), anchors.end(), [=](const FrameRequest &anchor) { return anchor.identity == first; }))
            place_anchor(tracks_.front());
    }

    // With a motion module the segment's frames move together, and anchors are stills beside them, the same in every segment. In
    // mode `flow` as well: made without neighbours, an anchor would stand out among the frames around it. The shot's first frame is
    // one nevertheless, since it is what the template makes of it as a picture.
    void place_anchor(const FrameRequest &anchor) {
        const auto same = [&](const FrameRequest &frame) { return frame.identity == anchor.identity; };
        const bool apart = models_.motion() || (follows() && !anchors_.empty());
        const auto found = apart ? tracks_.end() : std::find_if(tracks_.begin(), tracks_.end(), same);
        anchors_.push_back(found - tracks_.begin());
        if (found == tracks_.end())
            tracks_.push_back(anchor);
    }

    // What a ControlNet is shown of a frame.
    static at::Tensor hint(const Models::Control &control, const FrameRequest &track) {
        if (control.picture)
            return to_tensor(control.picture->picture(to_picture(track.picture)));
        const at::Tensor previous =
            track.previous.defined() ? track.previous : at::cat({track.picture, at::ones_like(track.picture)}, 1);
        return previous.slice(1, 0, control.net->config().conditioning_channels);
    }

    // The control pictures, once a frame.
    void embed_hints() {
        for (const Models::Control &control : models_.controls()) {
            std::vector<at::Tensor> embedded;
            for (const FrameRequest &track : tracks_) {
                watch_.step("analyse");
                embedded.push_back(control.net->embed_hint(to_network(hint(control, track))));
            }
            hints_.push_back(at::cat(embedded).contiguous(at::MemoryFormat::ChannelsLast));
        }
    }

    at::Tensor to_network(const at::Tensor &tensor) const {
        return tensor.to(models_.device(), models_.dtype()).contiguous(at::MemoryFormat::ChannelsLast);
    }

    at::Tensor drawn_noise(int64_t key, uint32_t stream) const {
        const int64_t factor = models_.vae().stride();
        const at::Tensor &picture = tracks_.front().picture;
        const at::Tensor drawn = diffusion::counter_noise(settings_.style.seed, key, stream, models_.vae().latent_channels(),
                                                          picture.size(2) / factor, picture.size(3) / factor);
        return stream == 0 ? diffusion::offset_noise(drawn, settings_.noise_offset, settings_.style.seed, key) : drawn;
    }

    std::vector<at::Tensor> warped_noise(uint32_t stream) const {
        const uint64_t seed = settings_.style.seed;
        const at::Tensor &grid = noise_places_.front();
        const at::Tensor fine = diffusion::fine_noise(seed, stream, models_.vae().latent_channels(), grid.size(0), grid.size(1));
        std::vector<at::Tensor> all;
        for (size_t i = 0; i < tracks_.size(); ++i) {
            const at::Tensor drawn = diffusion::warped_noise(fine, noise_places_[i], seed, tracks_[i].identity, stream);
            all.push_back(stream == 0 ? diffusion::offset_noise(drawn, settings_.noise_offset, seed, 0) : drawn);
        }
        return all;
    }

    std::vector<at::Tensor> noise_of_tracks(uint32_t stream) const {
        switch (settings_.style.noise) {
        case NoiseMode::warped:
            return warped_noise(stream);
        case NoiseMode::shared:
            return std::vector<at::Tensor>(tracks_.size(), drawn_noise(0, stream));
        case NoiseMode::frame:
            break;
        }
        std::vector<at::Tensor> all;
        for (const FrameRequest &track : tracks_)
            all.push_back(drawn_noise(track.identity, stream));
        return all;
    }

    // Of all tracks; stream 0 is the initial noise, later ones belong to the steps.
    at::Tensor noise(uint32_t stream) const {
        std::vector<at::Tensor> all = noise_of_tracks(stream);
        for (size_t i = 0; i < tracks_.size(); ++i)
            if (stream == 0 && tracks_[i].noise.defined())
                all[i] = tracks_[i].noise;
        return at::stack(all);
    }

    void start_latents() {
        at::Tensor encoded;
        if (settings_.strength < 1) {
            std::vector<at::Tensor> latents;
            for (const FrameRequest &track : tracks_) {
                watch_.step("analyse");
                latents.push_back(models_.vae().encode(to_network(track.picture * 2 - 1)).to(at::kCPU, at::kFloat));
            }
            encoded = at::cat(latents);
        }
        latents_ = scheduler_->first_latents(encoded, noise(0));
    }

    // See FrameRequest::known. Before step i.
    void keep_known(int64_t i) {
        const auto has = [](const FrameRequest &track) { return track.known.defined(); };
        if (std::none_of(tracks_.begin(), tracks_.end(), has))
            return;
        const at::Tensor initial = noise(0);
        std::vector<at::Tensor> all;
        for (size_t t = 0; t < tracks_.size(); ++t) {
            const auto row = static_cast<int64_t>(t);
            const FrameRequest &track = tracks_[t];
            all.push_back(has(track) ? at::where(track.known_at, scheduler_->noised(track.known, initial[row], i), latents_[row])
                                     : latents_[row]);
        }
        latents_ = at::stack(all);
    }

    // The network's output for every track at step i, float32.
    at::Tensor predict(int64_t i) {
        input_ = scheduler_->scale_model_input(latents_, i);
        step_ = i;
        output_ = at::zeros_like(latents_);
        unet_anchors_ = {};
        control_anchors_.assign(hints_.size(), {});
        cfa_anchors_ = {};
        if (has_anchors())
            record_anchors();
        if (frames_need_windows())
            predict_windows();
        else
            predict_between_anchors();
        return output_;
    }

    // Frames that need nothing of each other, in calls of a handy size.
    void predict_apart(int64_t begin, int64_t end) {
        const int64_t batch = frames_per_call(latents_);
        for (int64_t first = begin; first < end; first += batch) {
            const int64_t count = std::min(batch, end - first);
            output_.slice(0, first, first + count).copy_(evaluate(consecutive(first, first + count), settings_.style.attention));
        }
    }

    bool frames_need_windows() const {
        const nn::AttentionMode mode = settings_.style.attention;
        return models_.motion() || (mode != nn::AttentionMode::self && mode != nn::AttentionMode::anchors);
    }

    // Each anchor sees those before it.
    void record_anchors() {
        for (size_t i = 0; i < anchors_.size(); ++i) {
            const std::vector<int64_t> before(anchors_.begin(), anchors_.begin() + static_cast<std::ptrdiff_t>(i));
            nn::CrossFrames cross = follows() ? follow({anchors_[i]}, {}, before) : nn::CrossFrames();
            cross.record = true;
            output_[anchors_[i]].copy_(evaluate({anchors_[i]}, settings_.style.attention, true, follows() ? &cross : nullptr)[0]);
        }
    }

    // All frames but the anchors, which are made.
    void predict_between_anchors() {
        std::vector<int64_t> borders = anchors_;
        borders.push_back(frames_);
        std::sort(borders.begin(), borders.end());
        int64_t begin = 0;
        for (int64_t border : borders) {
            predict_apart(begin, std::min(border, frames_));
            begin = border + 1;
        }
    }

    // Frames that are made together. In mode `flow` an anchor that is a frame is not among them: it is made, and all see it.
    void place_windows() {
        std::vector<int64_t> members = consecutive(0, frames_);
        if (settings_.style.attention == nn::AttentionMode::flow)
            members.erase(std::remove_if(members.begin(), members.end(), [this](int64_t track) { return is_anchor(track); }),
                          members.end());
        if (members.empty())
            return;
        const auto count = static_cast<int64_t>(members.size());
        const Template &style = settings_.style;
        // Borders that lie elsewhere at the next step leave no seam. A single window has none.
        phases_.resize(style.shift && count > style.window ? 2 : 1);
        const auto split = models_.motion() ? make_full_windows : make_windows;
        for (size_t i = 0; i < phases_.size(); i++)
            for (const Window &window : split(count, style.window, style.overlap, i > 0))
                phases_[i].emplace_back(members.begin() + window.begin, members.begin() + window.begin + window.count);
    }

    bool is_anchor(int64_t track) const { return std::find(anchors_.begin(), anchors_.end(), track) != anchors_.end(); }

    bool follows() const { return settings_.style.attention == nn::AttentionMode::flow; }

    // The pictures' motion, of pairs as they are asked for. What a pass needs of it is put together anew at every step: kept for
    // all windows it would be most of the run's memory.
    void look_at_motion() {
        std::vector<at::Tensor> pictures;
        for (const FrameRequest &track : tracks_)
            pictures.push_back(track.picture);
        flows_ = std::make_unique<FrameFlows>(pictures, latents_.size(2), latents_.size(3), models_.flow());
    }

    nn::CrossFrames follow(const std::vector<int64_t> &frames, const std::vector<int64_t> &offsets,
                           const std::vector<int64_t> &anchors) {
        watch_.step("analyse");
        nn::CrossFrames cross = cross_frames(*flows_, frames, offsets, anchors);
        cross.module = models_.cfa();
        cross.branches = branches_;
        cross.anchors = &cfa_anchors_;
        cross.weight = settings_.style.flow_weight;
        return cross;
    }

    std::vector<int64_t> neighbours() const {
        return models_.cfa() ? models_.cfa()->config().neighbours : std::vector<int64_t>{-2, -1, 1, 2};
    }

    void predict_windows() {
        at::Tensor weight_sum = at::zeros({output_.size(0), 1, 1, 1});
        if (phases_.empty())
            return; // all frames are anchors
        for (const std::vector<int64_t> &window : phases_[static_cast<size_t>(step_) % phases_.size()]) {
            const auto count = static_cast<int64_t>(window.size());
            const at::Tensor weights = at::tensor(window_weights(settings_.style.fuse, count), at::kFloat).view({-1, 1, 1, 1});
            const at::Tensor rows = at::tensor(window);
            nn::CrossFrames cross = follows() ? follow(window, neighbours(), anchors_) : nn::CrossFrames();
            output_.index_add_(0, rows, evaluate(window, settings_.style.attention, false, follows() ? &cross : nullptr) * weights);
            weight_sum.index_add_(0, rows, weights);
        }
        output_.div_(at::where(weight_sum > 0, weight_sum, 1)); // anchors are not in windows
    }

    // What is drawn by chance is settled in the first steps: frames that agree there are made alike.
    at::Tensor fused(const at::Tensor &output, int64_t i) {
        const auto steps = static_cast<double>(scheduler_->timesteps().size());
        if (static_cast<double>(i) >= settings_.style.latent_fusion * steps)
            return output;
        watch_.step("fuse");
        const auto fixed = [this](int64_t track) {
            return is_anchor(track) || tracks_[static_cast<size_t>(track)].identity == first_;
        };
        const at::Tensor change = fuse_latents(scheduler_->clean(output, latents_, i), frames_, fixed, *flows_);
        return scheduler_->output_changed_by(change, output, i);
    }

    // One call of ControlNets and U-Net on tracks, guidance applied. float32 on the CPU.
    at::Tensor evaluate(const std::vector<int64_t> &tracks, nn::AttentionMode mode, bool record = false,
                        nn::CrossFrames *cross = nullptr) {
        watch_.step("denoise");
        const auto count = static_cast<int64_t>(tracks.size());
        const at::Tensor x = to_network(per_branch(pick(input_, tracks)));
        const double timestep = scheduler_->timesteps()[static_cast<size_t>(step_)];
        const FrameConditions shown = conditions_of_tracks(tracks);

        nn::FrameAttention frames{mode, branches_, count, nullptr, record, 0};
        nn::ControlResiduals residuals;
        for (size_t c = 0; c < hints_.size(); ++c) {
            const Models::Control &control = models_.controls()[c];
            if (!acts_now(control.settings))
                continue;
            nn::FrameAttention control_frames = frames;
            control_frames.anchors = &control_anchors_[c];
            control_frames.cross = cross && !cross->module ? cross : nullptr;
            const at::Tensor hint = per_branch(pick(hints_[c], tracks));
            nn::accumulate(residuals, control.net->forward(x, timestep, shown.text, hint, &control_frames), control.settings.scale);
        }
        frames.anchors = &unet_anchors_;
        frames.cross = cross;
        const bool controlled = !residuals.down.empty();
        const nn::MotionModule *motion = count > 1 ? models_.motion() : nullptr; // a still does not move
        const at::Tensor raw = models_.unet().forward(x, timestep, shown.text, &frames, controlled ? &residuals : nullptr, motion,
                                                      shown.images.empty() ? nullptr : &shown.images, &shown.words);
        return guide(raw.to(at::kCPU, at::kFloat), count);
    }

    FrameConditions conditions_of_tracks(const std::vector<int64_t> &tracks) const {
        std::vector<const FrameRequest *> frames;
        for (int64_t track : tracks)
            frames.push_back(&tracks_[static_cast<size_t>(track)]);
        return conditions_of(conditioning_, frames, latents_.size(2), latents_.size(3), models_.device());
    }

    at::Tensor per_branch(const at::Tensor &tensor) const { return branches_ == 1 ? tensor : at::cat({tensor, tensor}); }

    at::Tensor guide(const at::Tensor &raw, int64_t count) const {
        if (branches_ == 1)
            return raw;
        const at::Tensor negative = raw.slice(0, 0, count);
        return negative + settings_.guidance * (raw.slice(0, count) - negative);
    }

    // diffusers' controlnet_keep.
    bool acts_now(const ControlSettings &control) const {
        const auto steps = static_cast<double>(scheduler_->timesteps().size());
        return static_cast<double>(step_) / steps >= control.start && static_cast<double>(step_ + 1) / steps <= control.end;
    }

    const Models &models_;
    const Settings &settings_;
    const Conditioning &conditioning_;
    Watch &watch_;
    int64_t frames_;
    int64_t branches_;
    std::vector<FrameRequest> tracks_;
    const int64_t first_;                  // identity of the shot's first frame, which is made as a picture is
    std::vector<int64_t> anchors_;         // tracks, in the order they are made
    std::vector<at::Tensor> noise_places_; // of tracks, see diffusion::noise_places(); mode warped
    std::unique_ptr<diffusion::Scheduler> scheduler_;

    std::vector<std::vector<std::vector<int64_t>>> phases_; // windows (of tracks) of the even steps and of the odd ones, or of all
    std::unique_ptr<FrameFlows> flows_;                     // mode flow, latent fusion

    std::vector<at::Tensor> hints_; // per control: [tracks, channels, h, w]
    at::Tensor latents_;            // float32 [tracks, channels, h, w]

    // Of the step being made.
    int64_t step_ = 0;
    at::Tensor input_;
    at::Tensor output_;
    nn::AnchorStore unet_anchors_;
    std::vector<nn::AnchorStore> control_anchors_;
    nn::CfaStore cfa_anchors_;
};

} // namespace

Conditioning encode_conditioning(const Models &models, const Settings &settings, const Watch &watch) {
    PromptBook book(models, settings, watch);
    const PromptBook::Page page = book.encode({{{settings.style.positive, 1}}});
    Conditioning conditioning;
    conditioning.text = page.negative.defined() ? at::cat({page.negative, page.frames.front()}) : page.frames.front();
    return conditioning;
}

nn::ImagePrompt encode_image(const Models &models, const Settings &settings, const Conditioning &conditioning,
                             const at::Tensor &picture) {
    const IdentitySettings &identity = settings.identity;
    return models.identity()->adapter->prompt(*models.identity()->tower, picture, conditioning.branches(),
                                              {identity.scale, identity.down, identity.mid, identity.up});
}

at::Tensor denoise(const Models &models, const Settings &settings, const Conditioning &conditioning,
                   const std::vector<FrameRequest> &frames, const std::vector<FrameRequest> &anchors, Watch &watch) {
    return SegmentRun(models, settings, conditioning, frames, anchors, watch).run();
}

} // namespace aianime::pipeline
