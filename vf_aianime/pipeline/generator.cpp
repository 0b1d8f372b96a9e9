// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/generator.h"

#include "io/error.h"
#include "nn/aten.h"
#include "pipeline/free_memory.h"
#include "pipeline/picture_tensor.h"
#include "pipeline/precision.h"
#include "vision/png.h"

namespace aianime::pipeline {

namespace {

at::ScalarType chosen_precision(const Settings &settings) {
    switch (settings.style.precision) {
    case Precision::float32:
        return at::kFloat;
    case Precision::bfloat16:
        return at::kBFloat16;
    case Precision::automatic:
        break;
    }
    return cpu_precision();
}

void report_loras(const Models &models, const Watch &watch) {
    for (const nn::LoraReport &lora : models.loras()) {
        watch.log(AIANIME_LOG_INFO, lora.file + ": " + lora.dialect + ", " + std::to_string(lora.unet) + " layers of the U-Net, " +
                                        std::to_string(lora.text) + " of the text encoder, " + std::to_string(lora.motion) +
                                        " of the motion module changed, " + std::to_string(lora.unmatched.size()) + " left out");
    }
}

} // namespace

Generator::Generator(const Settings &settings, Watch &watch) : settings_(settings), watch_(watch) {
    if (!settings.noise.empty())
        noise_ = std::make_unique<NoiseFile>(settings.noise);
    load(chosen_precision(settings));
}

void Generator::load(at::ScalarType dtype) {
    watch_.step("load");
    models_ = nullptr; // the old networks go before the new ones come
    models_ = std::make_unique<Models>(settings_, dtype, at::kCPU);
    conditioning_ = encode_conditioning(*models_, settings_, watch_);
    seen_ = -1;
    report_loras(*models_, watch_);
    models_->release_text_encoder(); // half a gigabyte at the size of Stable Diffusion 1.5
    return_free_memory();
}

const char *Generator::precision() const { return models_->dtype() == at::kBFloat16 ? "bfloat16" : "float32"; }

std::vector<cv::Mat> Generator::run(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors) {
    std::vector<cv::Mat> pictures = attempt(frames, anchors);
    if (pictures.empty() && models_->dtype() != at::kFloat) {
        watch_.log(AIANIME_LOG_WARNING,
                   std::string("the networks gave values that are not finite in ") + precision() + "; going on in float32");
        load(at::kFloat);
        pictures = attempt(frames, anchors);
    }
    if (pictures.empty())
        throw Error(AIANIME_NOT_FINITE,
                    "the networks gave values that are not finite in float32 (damaged weights, or a guidance or "
                    "control scale far outside what the model was made for)");
    return pictures;
}

void Generator::look_at(const SourcePicture &key_frame) {
    const std::string &image = settings_.identity.image;
    if (seen_ == key_frame.identity || (seen_ >= 0 && !image.empty()))
        return;
    watch_.step("analyse");
    const cv::Mat picture = image.empty() ? key_frame.picture : vision::load_png(image);
    conditioning_.images = {encode_image(*models_, settings_, conditioning_, to_tensor(picture))};
    seen_ = key_frame.identity;
}

FrameRequest Generator::request(const SourcePicture &source) {
    FrameRequest request{to_tensor(source.picture), source.identity, {}};
    const int64_t factor = models_->vae().stride();
    if (noise_)
        request.noise = noise_->frame(source.identity, models_->vae().latent_channels(), request.picture.size(2) / factor,
                                      request.picture.size(3) / factor);
    return request;
}

std::vector<cv::Mat> Generator::attempt(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors) {
    if (models_->identity())
        look_at(anchors.back());
    std::vector<FrameRequest> requests;
    for (const SourcePicture &frame : frames)
        requests.push_back(request(frame));
    std::vector<FrameRequest> anchor_requests;
    for (const SourcePicture &anchor : anchors)
        anchor_requests.push_back(request(anchor));
    const at::Tensor latents = denoise(*models_, settings_, conditioning_, requests, anchor_requests, watch_);
    if (!at::isfinite(latents).all().item<bool>())
        return {};
    return_free_memory();

    std::vector<cv::Mat> pictures;
    for (int64_t i = 0; i < latents.size(0); ++i) {
        watch_.step("decode");
        const at::Tensor latent = latents.slice(0, i, i + 1).to(models_->device(), models_->dtype());
        const at::Tensor decoded = models_->vae().decode(latent.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat);
        if (!at::isfinite(decoded).all().item<bool>())
            return {};
        pictures.push_back(to_picture(decoded / 2 + 0.5));
    }
    return pictures;
}

} // namespace aianime::pipeline
