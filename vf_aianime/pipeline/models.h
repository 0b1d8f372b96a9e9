// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/scheduler.h"
#include "nn/autoencoder.h"
#include "nn/cfa_module.h"
#include "nn/clip_text.h"
#include "nn/clip_vision.h"
#include "nn/identity_tokens.h"
#include "nn/ip_adapter.h"
#include "nn/lora.h"
#include "nn/motion_module.h"
#include "nn/single_file.h"
#include "nn/unet.h"
#include "pipeline/control_picture.h"
#include "pipeline/optical_flow.h"
#include "pipeline/settings.h"

namespace aianime::pipeline {

// The networks of a session, loaded and checked to fit each other. Thread safety: const use from one thread at a time.
class Models {
public:
    struct Control {
        ControlSettings settings;
        std::unique_ptr<nn::ControlNet> net;
        std::unique_ptr<ControlPicture> picture; // null: type "temporal"
    };
    // What shows pictures to the U-Net.
    struct Identity {
        std::unique_ptr<nn::IpAdapter> adapter;
        std::unique_ptr<nn::ClipVision> tower;
    };

    // Throws Error (NOT_FOUND, BAD_DATA, FORBIDDEN, IO). Blocks while files are read.
    Models(const Settings &settings, at::ScalarType dtype, at::Device device);

    at::ScalarType dtype() const { return dtype_; }
    at::Device device() const { return device_; }
    const nn::UNet &unet() const { return *unet_; }
    nn::UNet &unet() { return *unet_; }                                                   // for training
    const nn::MotionModule *motion() const { return motion_.get(); }                      // null where there is none
    const nn::CfaModule *cfa() const { return cfa_.get(); }                               // likewise
    const Identity *identity() const { return identity_.adapter ? &identity_ : nullptr; } // likewise
    const nn::IdentityTokens *person() const { return person_.get(); }                    // likewise
    const OpticalFlow &flow() const { return flow_; }                                     // between generated frames
    const nn::Autoencoder &vae() const { return *vae_; }
    nn::Autoencoder &vae() { return *vae_; } // for training
    const std::vector<Control> &controls() const { return controls_; }
    const nn::ClipTokenizer &tokenizer() const { return *tokenizer_; }
    const nn::ClipText &text_encoder() const { return *text_encoder_; }
    nn::ClipText &text_encoder() { return *text_encoder_; } // for training
    // Gives its memory back; text_encoder() must not be called any more.
    void release_text_encoder() { text_encoder_.reset(); }

    // Whether a control looks at the frame that was generated before.
    bool is_sequential() const;
    // What is worth a warning, although the models load.
    const std::vector<std::string> &warnings() const { return warnings_; }
    // What the LoRAs turned out to be.
    const std::vector<nn::LoraReport> &loras() const { return loras_; }

    // Sides of a working picture must be multiples of this.
    int stride() const;
    // A sampler of the settings' name (or the pack's own) with the pack's configuration.
    std::unique_ptr<diffusion::Scheduler> make_scheduler() const;
    const diffusion::SchedulerConfig &scheduler_config() const { return scheduler_config_; }

private:
    void load_component(nn::Module &module, const nn::Component &component, const nn::Patch &patch = nullptr);
    void note_not_finite(const nn::WeightSource &source, const std::vector<std::string> &names);
    void load_diffusion(const Settings &settings);
    void load_cfa(const std::string &folder);
    void load_flow(const Settings &settings);
    void load_controls(const Settings &settings);
    void load_identity(const Settings &settings);
    void load_scheduler(const Settings &settings);
    void check_fit() const;

    at::ScalarType dtype_;
    at::Device device_;
    bool strict_;
    std::unique_ptr<nn::UNet> unet_;
    std::unique_ptr<nn::MotionModule> motion_;
    std::unique_ptr<nn::CfaModule> cfa_;
    OpticalFlow flow_;
    std::unique_ptr<nn::Autoencoder> vae_;
    std::unique_ptr<nn::ClipTokenizer> tokenizer_;
    std::unique_ptr<nn::ClipText> text_encoder_;
    std::vector<Control> controls_;
    Identity identity_;
    std::unique_ptr<nn::IdentityTokens> person_;
    std::vector<nn::LoraReport> loras_;
    std::vector<std::string> warnings_;
    std::string scheduler_name_;
    diffusion::SchedulerConfig scheduler_config_;
    std::string base_; // folder or file
};

} // namespace aianime::pipeline
