// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_networks.h"

#include "io/error.h"
#include "nn/aten.h"
#include "train/random.h"

namespace aianime::train {

namespace {

bool starts_with(const std::string &text, const char *start) { return text.rfind(start, 0) == 0; }

// A ControlNet begins without a say (arXiv 2302.05543): the convolutions that its results leave by are zero.
double control_gain(const std::string &name) {
    return starts_with(name, "controlnet_down_blocks") || starts_with(name, "controlnet_mid_block") ? 0 : 1;
}

// Residual branches and outputs that begin at zero let a deep network start as a shallow one.
double unet_gain(const std::string &name) {
    const bool zero =
        starts_with(name, "conv_out.") || name.find(".conv2.") != std::string::npos || name.find("proj_out") != std::string::npos;
    return zero ? 0 : 1;
}

// A stack of ReLU convolutions without norms keeps its signal only with He's weights (arXiv 1502.01852); blocks begin as little
// more than their shortcuts.
double autoencoder_gain(const std::string &name) {
    if (name.find(".bias") != std::string::npos)
        return 0;
    return name.find("conv.4") != std::string::npos ? 0.5 : 2.4495;
}

// Latents begin near unit spread, where the decoder's tanh is straight, and pictures near gray.
void calm_outputs(nn::Module &autoencoder, int64_t latent_channels) {
    autoencoder.visit([&](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &shape) {
        if (shape.size() == 4 && (shape[0] == latent_channels || shape[0] == 3))
            tensor.mul_(shape[0] == 3 ? 0.1 : 0.3);
        if (shape.size() == 1 && shape[0] == 3)
            tensor.fill_(0.5);
    });
}

io::Json config_of(const std::string &folder, const char *component) {
    return io::Json::load(folder + "/" + component + "/config.json");
}

} // namespace

PackNetworks::PackNetworks(const std::string &folder, uint64_t seed, at::Device on)
    : device(on), vae(nn::Autoencoder::create(config_of(folder, "vae"))),
      unet(std::make_unique<nn::UNet>(nn::UNetConfig::from_json(config_of(folder, "unet")))),
      control(std::make_unique<nn::ControlNet>(nn::UNetConfig::from_json(config_of(folder, "controlnet")))),
      tokenizer(std::make_unique<nn::ClipTokenizer>(folder + "/tokenizer")),
      text(std::make_unique<nn::ClipText>(config_of(folder, "text_encoder"))),
      scheduler(
          diffusion::SchedulerConfig::from_json(diffusion::load_scheduler_json(folder + "/scheduler/scheduler_config.json"))) {
    if (scheduler.prediction != diffusion::Prediction::v)
        throw Error(AIANIME_BAD_DATA, folder + "/scheduler/scheduler_config.json: prediction_type must be v_prediction for a pack "
                                               "that starts from pure noise in a few steps");
    initialise(vae->module(), mix(seed, 1), device, autoencoder_gain);
    calm_outputs(vae->module(), vae->latent_channels());
    initialise(unet->module(), mix(seed, 2), device, unet_gain);
    initialise(control->module(), mix(seed, 3), device, control_gain);
    initialise(text->module(), mix(seed, 4), device);
}

at::Tensor PackNetworks::token_ids(const std::vector<std::string> &prompts) const {
    const int64_t length = text->max_tokens();
    const at::Tensor ids = at::full({static_cast<int64_t>(prompts.size()), length}, tokenizer->pad(), at::kLong);
    for (size_t i = 0; i < prompts.size(); i++) {
        int64_t *row = ids[static_cast<int64_t>(i)].mutable_data_ptr<int64_t>();
        std::vector<int64_t> tokens = tokenizer->encode(prompts[i]);
        tokens.resize(std::min<size_t>(tokens.size(), static_cast<size_t>(length - 2)));
        *row++ = tokenizer->bos();
        row = std::copy(tokens.begin(), tokens.end(), row);
        *row = tokenizer->eos();
    }
    return ids.to(device);
}

at::Tensor PackNetworks::encode_text(const std::vector<std::string> &prompts) const { return text->forward(token_ids(prompts)); }

at::Tensor PackNetworks::encode(const at::Tensor &picture) const { return vae->encode(picture) * latent_scale; }

at::Tensor PackNetworks::decode(const at::Tensor &latent) const { return vae->decode(latent / latent_scale); }

at::Tensor PackNetworks::velocity(const at::Tensor &x, const at::Tensor &timesteps, const at::Tensor &words,
                                  const at::Tensor &hint) const {
    const nn::ControlResiduals residuals = control->forward(x, timesteps, words, hint, nullptr);
    return unet->forward(x, timesteps, words, nullptr, &residuals);
}

Parameters PackNetworks::train_autoencoder() { return trainable(vae->module(), "vae."); }

Parameters PackNetworks::train_denoiser() {
    trainable(vae->module(), "", [](const std::string &) { return false; });
    vae->module().call_loaded();
    Parameters all = trainable(unet->module(), "unet.");
    for (auto &entry : trainable(control->module(), "controlnet."))
        all.push_back(entry);
    for (auto &entry : trainable(text->module(), "text_encoder."))
        all.push_back(entry);
    return all;
}

void PackNetworks::freeze() {
    for (nn::Module *module : {&vae->module(), &unet->module(), &control->module(), &text->module()}) {
        trainable(*module, "", [](const std::string &) { return false; });
        module->call_loaded();
    }
}

void PackNetworks::copy(const PackNetworks &other) {
    const auto all = [](const PackNetworks &networks) {
        Parameters tensors;
        int part = 0;
        for (nn::Module *module :
             {&networks.vae->module(), &networks.unet->module(), &networks.control->module(), &networks.text->module()})
            module->visit([&](const std::string &name, at::Tensor &tensor,
                              const std::vector<int64_t> &) { tensors.emplace_back(name, tensor); },
                          std::to_string(part++) + ".");
        return tensors;
    };
    copy_values(all(other), all(*this));
    latent_scale = other.latent_scale;
    freeze();
}

} // namespace aianime::train
