// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/prompt_encoder.h"
#include "pipeline/models.h"
#include "train/lora_layers.h"
#include "train/pack_losses.h"
#include "train/style_set.h"

namespace aianime::train {

struct StyleLossOptions {
    double min_snr = 0;
    double noise_offset = 0;
    int64_t few_steps = 0; // 0: all timesteps are as likely
    int64_t clip_skip = 1;
    bool text_encoder = false; // is trained
};

// How much a squared error counts at each timestep (Hang et al., "Min-SNR", arXiv 2303.09556), [n]: min(snr, gamma) for what the
// clean latents' error would be, brought to what is predicted. gamma 0: ones.
at::Tensor min_snr_weights(const at::Tensor &snr, double gamma, diffusion::Prediction prediction);

// What the network is to predict.
at::Tensor prediction_target(diffusion::Prediction prediction, const at::Tensor &clean, const at::Tensor &noise,
                             const at::Tensor &signal, const at::Tensor &spread);

// [count]. few_steps 0: all are as likely; else half are those of a run of so many steps, or, where v is predicted, half are the
// noisiest one and a quarter those.
at::Tensor draw_style_timesteps(const Diffusion &diffusion, int64_t count, int64_t few_steps, diffusion::Prediction prediction,
                                const at::Generator &generator);

// The networks of a base under a LoRA in training: its loss, and pictures made with it. Keeps references.
class StyleNetworks {
public:
    StyleNetworks(const pipeline::Models &models, const LoraLayers &lora, const StyleLossOptions &options);

    // A scalar with a graph.
    at::Tensor loss(const StyleBatch &batch, const at::Generator &generator) const;

    struct SampleOptions {
        int64_t steps = 20;
        double guidance = 7.5;
    };
    // A picture, CV_32FC3 in [0, 1], from noise and a prompt, and from a source (the control network's) where there is one.
    cv::Mat sample(const std::string &prompt, cv::Size size, const cv::Mat &source, const SampleOptions &options,
                   uint64_t seed) const;

private:
    at::Tensor encode(const std::vector<std::string> &prompts) const;
    at::Tensor encode_one(const std::string &prompt, int64_t chunks) const;
    at::Tensor predict(const at::Tensor &x, const at::Tensor &timesteps, const at::Tensor &text, const at::Tensor &sources) const;

    const pipeline::Models &models_;
    const LoraLayers &lora_;
    const StyleLossOptions options_;
    const Diffusion diffusion_;
    const diffusion::PromptEncoder prompts_;
    mutable std::map<std::pair<std::string, int64_t>, at::Tensor> texts_; // of a text encoder that is not trained
};

} // namespace aianime::train
