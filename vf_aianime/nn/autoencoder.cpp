// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/autoencoder.h"

#include "nn/autoencoder_kl.h"
#include "nn/autoencoder_tiny.h"

namespace aianime::nn {

std::unique_ptr<Autoencoder> Autoencoder::create(const io::Json &config) {
    if (config.at("_class_name").choice({"AutoencoderKL", "AutoencoderTiny"}) == "AutoencoderKL")
        return std::make_unique<AutoencoderKl>(AutoencoderKlConfig::from_json(config));
    return std::make_unique<AutoencoderTiny>(AutoencoderTinyConfig::from_json(config));
}

} // namespace aianime::nn
