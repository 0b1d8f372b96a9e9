// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/models.h"

#include <algorithm>

#include "io/error.h"
#include "io/json.h"
#include "io/paths.h"
#include "nn/aten.h"
#include "nn/module.h"
#include "nn/weights.h"
#include "pipeline/components.h"

namespace aianime::pipeline {

namespace {

// Old exports carry this buffer; it is 0, 1, 2, ... and the network makes its own.
bool is_position_buffer(const std::string &name) {
    const std::string suffix = "position_ids";
    return name.size() >= suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// A CLIP vision tower: a folder with config.json, or a file.
std::unique_ptr<nn::ClipVision> load_tower(const std::string &path, at::ScalarType dtype, at::Device device) {
    const bool folder = io::is_folder(io::real_path(path));
    const nn::WeightSource source = folder ? nn::WeightSource::from_folder(path) : nn::WeightSource::from_file(path);
    auto tower =
        std::make_unique<nn::ClipVision>(folder ? io::Json::load(path + "/config.json") : nn::ClipVision::config_of(source));
    tower->load(source, dtype, device);
    return tower;
}

// What checkpoints of the family in one file were trained with; nothing in them says so.
constexpr const char *single_file_scheduler =
    R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085,
    "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1, "clip_sample": false, "set_alpha_to_one": false,
    "prediction_type": "epsilon"})";

} // namespace

Models::Models(const Settings &settings, at::ScalarType dtype, at::Device device)
    : dtype_(dtype), device_(device), strict_(settings.style.strict), base_(settings.pack.path()) {
    load_diffusion(settings);
    load_cfa(settings.cfa);
    load_flow(settings);

    const nn::Component vae = settings.vae.empty() ? base_component(base_, Part::vae) : component(settings.vae, Part::vae);
    vae_ = nn::Autoencoder::create(vae.config);
    load_component(vae_->module(), vae);
    if (settings.strength >= 1 && settings.style.method != Method::atlas) // then sampling begins with noise alone
        vae_->release_encoder();

    load_controls(settings);
    load_identity(settings);
    load_scheduler(settings);
    check_fit();
}

void Models::load_component(nn::Module &module, const nn::Component &component, const nn::Patch &patch) {
    note_not_finite(component.source, nn::load(module, component.source, dtype_, device_, is_position_buffer, patch));
}

void Models::note_not_finite(const nn::WeightSource &source, const std::vector<std::string> &names) {
    if (names.empty())
        return;
    const std::string text = source.description() + ": " + names.front() +
                             (names.size() > 1 ? " and " + std::to_string(names.size() - 1) + " more tensors hold" : " holds") +
                             " values that are not finite";
    if (strict_)
        throw Error(AIANIME_BAD_DATA, text);
    warnings_.push_back(text);
}

// U-Net, text encoder and motion module, and what LoRAs change in them.
void Models::load_diffusion(const Settings &settings) {
    const nn::Component unet = base_component(base_, Part::unet), text = base_component(base_, Part::text_encoder);
    unet_ = std::make_unique<nn::UNet>(nn::UNetConfig::from_json(unet.config));
    text_encoder_ = std::make_unique<nn::ClipText>(text.config);
    std::optional<nn::MotionFile> motion;
    if (!settings.motion.empty()) {
        motion = nn::open_motion_file(settings.motion);
        motion_ = std::make_unique<nn::MotionModule>(motion->config, unet_->config(), settings.motion_norms,
                                                     motion->source.description());
        motion_->check_frames(settings.style.window);
    }

    const nn::LoraStack loras(settings.loras, unet_->module(), &text_encoder_->module(), motion_ ? &motion_->module() : nullptr);
    loras_ = loras.reports();
    using Patched = at::Tensor (nn::LoraStack::*)(const std::string &, const at::Tensor &) const;
    const auto patch = [&](Patched patched) -> nn::Patch {
        if (settings.loras.empty())
            return nullptr;
        return [&loras, patched](const std::string &name, const at::Tensor &weight) { return (loras.*patched)(name, weight); };
    };
    load_component(unet_->module(), unet, patch(&nn::LoraStack::patch_unet));
    // Runs once a prompt, so it can afford float32.
    note_not_finite(text.source, text_encoder_->load(text.source, at::kFloat, device_, patch(&nn::LoraStack::patch_text)));
    if (motion_)
        note_not_finite(motion->source,
                        nn::load(motion_->module(), motion->source, dtype_, device_, nullptr, patch(&nn::LoraStack::patch_motion)));

    // OpenCLIP, the text encoder of Stable Diffusion 2, was trained on prompts padded with token 0.
    const bool pad_with_zero = settings.pack.is_file() && nn::SingleFile(base_).is_version_2();
    tokenizer_ = std::make_unique<nn::ClipTokenizer>(settings.tokenizer, pad_with_zero ? "!" : "");
}

void Models::load_cfa(const std::string &folder) {
    if (folder.empty())
        return;
    const nn::WeightSource source = nn::WeightSource::from_folder(folder);
    cfa_ =
        std::make_unique<nn::CfaModule>(nn::CfaConfig::from_json(io::Json::load(folder + "/config.json")), unet_->config(), folder);
    note_not_finite(source, nn::load(cfa_->module(), source, dtype_, device_));
}

void Models::load_flow(const Settings &settings) {
    std::shared_ptr<const nn::Raft> raft;
    if (!settings.flow_model.empty())
        raft = nn::load_raft(nn::WeightSource::from_file(settings.flow_model), device_);
    flow_ = OpticalFlow(std::move(raft), settings.style.flow_updates);
}

void Models::load_controls(const Settings &settings) {
    for (const Settings::Control &control : settings.controls) {
        const nn::Component found = component(control.path, Part::controlnet);
        auto net = std::make_unique<nn::ControlNet>(nn::UNetConfig::from_json(found.config));
        load_component(net->module(), found);
        auto picture =
            control.settings.type == "temporal" ? nullptr : ControlPicture::make(control.settings.type, control.annotator, device_);
        controls_.push_back({control.settings, std::move(net), std::move(picture)});
    }
}

void Models::load_identity(const Settings &settings) {
    if (settings.identity.tokens > 0) {
        person_ = nn::IdentityTokens::load(settings.pack.folder + "/identity", dtype_, device_);
        for (const int64_t width : unet_->config().cross_attention_dim)
            if (person_->config().width != width)
                throw Error(AIANIME_BAD_DATA, settings.pack.folder + "/identity: makes words of width " +
                                                  std::to_string(person_->config().width) + ", the U-Net reads " +
                                                  std::to_string(width));
    }
    if (settings.identity.ip_adapter.empty())
        return;
    identity_.adapter = std::make_unique<nn::IpAdapter>(settings.identity.ip_adapter, unet_->config(), dtype_, device_);
    identity_.tower = load_tower(settings.identity.image_encoder, dtype_, device_);
    identity_.adapter->check_tower(*identity_.tower);
}

void Models::load_scheduler(const Settings &settings) {
    const io::Json scheduler = settings.pack.is_file() ? io::Json::parse(single_file_scheduler, base_)
                                                       : diffusion::load_scheduler_json(base_ + "/scheduler/scheduler_config.json");
    scheduler_config_ = diffusion::SchedulerConfig::from_json(scheduler);
    if (settings.style.prediction)
        scheduler_config_.prediction = *settings.style.prediction;
    else if (settings.pack.is_file() && nn::SingleFile(base_).is_version_2())
        scheduler_config_.prediction = diffusion::Prediction::v;
    if (settings.style.beta_schedule)
        scheduler_config_.beta_schedule = *settings.style.beta_schedule;
    else if (motion_)
        scheduler_config_.beta_schedule = "linear"; // what motion modules were trained with, whatever the checkpoint's own is
    scheduler_config_.timestep_spacing = settings.style.spacing.value_or(scheduler_config_.timestep_spacing);
    scheduler_config_.gamma = settings.style.gamma.value_or(scheduler_config_.gamma);
    scheduler_name_ = settings.scheduler;
    if (scheduler_name_.empty() && scheduler.has("_class_name"))
        scheduler_name_ = diffusion::Scheduler::name_for_class(scheduler.at("_class_name").string());
    if (scheduler_name_.empty())
        scheduler_name_ = "ddim";
}

void Models::check_fit() const {
    const nn::UNetConfig &unet = unet_->config();
    const auto refuse = [this](const std::string &what) { throw Error(AIANIME_BAD_DATA, base_ + ": " + what); };
    if (unet.in_channels != vae_->latent_channels())
        refuse("the U-Net takes " + std::to_string(unet.in_channels) + " latent channels, the autoencoder makes " +
               std::to_string(vae_->latent_channels()));
    for (int64_t width : unet.cross_attention_dim)
        if (width != text_encoder_->width())
            refuse("the U-Net takes text of width " + std::to_string(width) + ", the text encoder makes " +
                   std::to_string(text_encoder_->width()));
    if (is_sequential() && motion_)
        refuse("a motion module makes the frames of a window at once, a control of type \"temporal\" one after the other");
    for (const Control &control : controls_) {
        const nn::UNetConfig &config = control.net->config();
        if (config.block_out_channels != unet.block_out_channels || config.layers_per_block != unet.layers_per_block)
            refuse("the ControlNet is made for another U-Net (its channels or layers differ)");
        if (config.conditioning_channels != 3 && (control.picture || config.conditioning_channels != 6))
            refuse("a ControlNet with " + std::to_string(config.conditioning_channels) +
                   " picture channels cannot be shown a picture of type \"" + control.settings.type + "\"");
        const int64_t reduction = int64_t{1} << (config.conditioning_embedding_out_channels.size() - 1);
        if (reduction != vae_->stride())
            refuse("the ControlNet reduces its picture by " + std::to_string(reduction) + ", the autoencoder by " +
                   std::to_string(vae_->stride()));
    }
}

bool Models::is_sequential() const {
    return std::any_of(controls_.begin(), controls_.end(), [](const Control &control) { return !control.picture; });
}

int Models::stride() const { return static_cast<int>(vae_->stride() * unet_->config().stride()); }

std::unique_ptr<diffusion::Scheduler> Models::make_scheduler() const {
    return diffusion::Scheduler::create(scheduler_name_, scheduler_config_);
}

} // namespace aianime::pipeline
