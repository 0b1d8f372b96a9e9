// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/models.h"

#include "io/error.h"
#include "io/json.h"
#include "nn/aten.h"
#include "nn/module.h"
#include "nn/weights.h"

namespace aianime::pipeline {

namespace {

// Old exports carry this buffer; it is 0, 1, 2, ... and the network makes its own.
bool is_position_buffer(const std::string &name) {
    const std::string suffix = "position_ids";
    return name.size() >= suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}

void load_from_folder(nn::Module &module, const std::string &folder, at::ScalarType dtype, at::Device device) {
    nn::load(module, nn::WeightSource::from_folder(folder), dtype, device, is_position_buffer);
}

io::Json config_of(const std::string &folder) { return io::Json::load(folder + "/config.json"); }

} // namespace

Models::Models(const Settings &settings, at::ScalarType dtype, at::Device device)
    : dtype_(dtype), device_(device), folder_(settings.pack.folder) {
    unet_ = std::make_unique<nn::UNet>(nn::UNetConfig::from_json(config_of(folder_ + "/unet")));
    load_from_folder(unet_->module(), folder_ + "/unet", dtype, device);

    const std::string vae = settings.vae_folder.empty() ? folder_ + "/vae" : settings.vae_folder;
    vae_ = nn::Autoencoder::create(config_of(vae));
    load_from_folder(vae_->module(), vae, dtype, device);

    tokenizer_ = std::make_unique<nn::ClipTokenizer>(folder_ + "/tokenizer");
    text_encoder_ = std::make_unique<nn::ClipText>(config_of(folder_ + "/text_encoder"));
    // Runs once a prompt, so it can afford float32.
    load_from_folder(text_encoder_->module(), folder_ + "/text_encoder", at::kFloat, device);

    load_controls(settings);

    const io::Json scheduler = diffusion::load_scheduler_json(folder_ + "/scheduler/scheduler_config.json");
    scheduler_config_ = diffusion::SchedulerConfig::from_json(scheduler);
    scheduler_name_ = settings.scheduler;
    if (scheduler_name_.empty() && scheduler.has("_class_name"))
        scheduler_name_ = diffusion::Scheduler::name_for_class(scheduler.at("_class_name").string());
    if (scheduler_name_.empty())
        scheduler_name_ = "ddim";
    check_fit();
}

void Models::load_controls(const Settings &settings) {
    for (const Settings::Control &control : settings.controls) {
        auto net = std::make_unique<nn::ControlNet>(nn::UNetConfig::from_json(config_of(control.folder)));
        load_from_folder(net->module(), control.folder, dtype_, device_);
        controls_.push_back({control.settings, std::move(net)});
    }
}

void Models::check_fit() const {
    const nn::UNetConfig &unet = unet_->config();
    const auto refuse = [this](const std::string &what) { throw Error(AIANIME_BAD_DATA, folder_ + ": " + what); };
    if (unet.in_channels != vae_->latent_channels())
        refuse("the U-Net takes " + std::to_string(unet.in_channels) + " latent channels, the autoencoder makes " +
               std::to_string(vae_->latent_channels()));
    for (int64_t width : unet.cross_attention_dim)
        if (width != text_encoder_->width())
            refuse("the U-Net takes text of width " + std::to_string(width) + ", the text encoder makes " +
                   std::to_string(text_encoder_->width()));
    for (const Control &control : controls_) {
        const nn::UNetConfig &config = control.net->config();
        if (config.block_out_channels != unet.block_out_channels || config.layers_per_block != unet.layers_per_block)
            refuse("the ControlNet is made for another U-Net (its channels or layers differ)");
        if (config.conditioning_channels != 3)
            refuse("a ControlNet with " + std::to_string(config.conditioning_channels) +
                   " picture channels cannot be shown the source");
        const int64_t reduction = int64_t{1} << (config.conditioning_embedding_out_channels.size() - 1);
        if (reduction != vae_->stride())
            refuse("the ControlNet reduces its picture by " + std::to_string(reduction) + ", the autoencoder by " +
                   std::to_string(vae_->stride()));
    }
}

int Models::stride() const { return static_cast<int>(vae_->stride() * unet_->config().stride()); }

std::unique_ptr<diffusion::Scheduler> Models::make_scheduler() const {
    return diffusion::Scheduler::create(scheduler_name_, scheduler_config_);
}

} // namespace aianime::pipeline
