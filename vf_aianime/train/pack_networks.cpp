// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_networks.h"

#include "io/error.h"
#include "io/pack.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "train/random.h"

namespace aianime::train {

namespace {

bool starts_with(const std::string &text, const char *start) { return text.rfind(start, 0) == 0; }

// What passes without a norm between the levels keeps its size (a uniform draw of bound 1/sqrt(fan in) lets through 1/sqrt(3) of
// it, and six of them in a row nothing of what the lowest level makes of the words). The output begins at zero.
double unet_gain(const std::string &name) {
    if (name.find(".bias") != std::string::npos)
        return 0;
    if (starts_with(name, "conv_out."))
        return 0;
    if (name == "add_embedding.norm2.weight") // or the text drowns the time that it is added to
        return 0.3;
    const bool between_levels = name.find("conv_shortcut") != std::string::npos || name.find("samplers.") != std::string::npos;
    return between_levels ? std::sqrt(3.0) : 1;
}

// What a token is counts for more than where it is.
double text_gain(const std::string &name) { return name.find("token_embedding") != std::string::npos ? 10 : 1; }

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

// A way for the noisy latents straight through the outermost skip connection: v is a multiple of them once the clean ones are known
// from the source, and a narrow network is long in finding that way by itself. One channel carries each; where the last activation
// is passed they are far on its positive, nearly straight side. They are spread over the groups of the last norm, so that other
// channels of a group can turn them down at noisy timesteps.
void lay_noise_path(nn::UNet &unet) {
    constexpr double gain = 0.5, offset = 3;
    const nn::UNetConfig &config = unet.config();
    const int64_t width = config.block_out_channels.front(), latents = config.in_channels,
                  top = static_cast<int64_t>(config.block_out_channels.size()) - 1;
    if (2 * latents > width || config.out_channels != latents)
        return;
    const std::string last = "up_blocks." + std::to_string(top) + ".resnets." + std::to_string(config.layers_per_block.front());
    const double passed = offset / (1 + std::exp(-offset));
    unet.module().visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &shape) {
        for (int64_t i = 0; i < latents; i++) {
            const int64_t carrier = i * width / latents;
            if (name == "conv_in.weight")
                tensor[carrier].zero_()[i][shape[2] / 2][shape[3] / 2].fill_(1);
            else if (name == last + ".conv_shortcut.weight")
                tensor[carrier].zero_()[shape[1] - width + carrier].fill_(1);
            else if (name == "conv_norm_out.weight")
                tensor[carrier].fill_(gain);
            else if (name == "conv_norm_out.bias")
                tensor[carrier].fill_(offset);
            else if (name == "conv_out.weight")
                tensor[i][carrier][shape[2] / 2][shape[3] / 2].fill_(1);
            else if (name == "conv_out.bias")
                tensor[i].fill_(-passed);
        }
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
      scheduler(diffusion::SchedulerConfig::from_json(diffusion::load_scheduler_json(folder + "/scheduler/scheduler_config.json"))),
      schedule(scheduler), noise_offset(io::load_pack(folder).noise_offset) {
    if (scheduler.prediction == diffusion::Prediction::epsilon)
        throw Error(AIANIME_BAD_DATA, folder +
                                          "/scheduler/scheduler_config.json: prediction_type must be v_prediction or sample for a "
                                          "pack that starts from pure noise in a few steps");
    initialise(vae->module(), mix(seed, 1), device, autoencoder_gain);
    calm_outputs(vae->module(), vae->latent_channels());
    initialise(unet->module(), mix(seed, 2), device, unet_gain);
    if (scheduler.prediction == diffusion::Prediction::v)
        lay_noise_path(*unet);
    // A ControlNet that joins a trained U-Net begins without a say (arXiv 2302.05543); here both begin, and with a say it learns
    // sooner.
    initialise(control->module(), mix(seed, 3), device, unet_gain);
    initialise(text->module(), mix(seed, 4), device, text_gain);
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

at::Tensor PackNetworks::velocity(const at::Tensor &x, const at::Tensor &timesteps, const at::Tensor &words, const at::Tensor &hint,
                                  const nn::LocalText *local) const {
    nn::ControlResiduals residuals = control->forward(x, timesteps, words, hint, nullptr);
    return schedule.velocity(unet->forward(x, timesteps, words, nullptr, &residuals, nullptr, nullptr, local), x, timesteps);
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

Parameters PackNetworks::train_few_steps() {
    Parameters all = train_denoiser();
    for (auto &entry : trainable(vae->module(), "vae.", [](const std::string &name) { return starts_with(name, "decoder."); }))
        all.push_back(entry);
    return all;
}

void PackNetworks::freeze() {
    for (nn::Module *module : {&vae->module(), &unet->module(), &control->module(), &text->module()}) {
        trainable(*module, "", [](const std::string &) { return false; });
        module->call_loaded();
    }
}

void PackNetworks::load(const std::string &pack) {
    const auto take = [&](nn::Module &module, const char *component) {
        nn::load(module, nn::WeightSource::from_folder(pack + "/" + component), at::kFloat, device);
    };
    take(vae->module(), "vae");
    take(unet->module(), "unet");
    take(control->module(), "controlnet");
    take(text->module(), "text_encoder");
}

} // namespace aianime::train
