// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "io/json.h"
#include "nn/layers.h"
#include "nn/module.h"

namespace aianime::nn {

struct IdentityConfig {
    int64_t descriptor = 128;
    int64_t hidden = 256;
    int64_t tokens = 4;
    int64_t width = 64; // of the text's embeddings

    // Throws Error (BAD_DATA, OUT_OF_RANGE).
    static IdentityConfig from_json(const io::Json &config);
    std::string to_json() const;
};

// Who somebody is as words that a U-Net reads beside the text's: a small network from a face's descriptor to vectors of the text's
// width. Part of a pack, in its folder identity/.
class IdentityTokens : public Module {
public:
    explicit IdentityTokens(const IdentityConfig &config);

    // Throws Error: as WeightSource::from_folder; BAD_DATA for weights that are not finite or do not fit config.json.
    static std::unique_ptr<IdentityTokens> load(const std::string &folder, at::ScalarType dtype, at::Device device);

    // [n, descriptor] of any length -> [n, tokens, width] in the weights' dtype. What counts is where a descriptor points.
    at::Tensor forward(const at::Tensor &descriptors) const;
    const IdentityConfig &config() const { return config_; }

private:
    IdentityConfig config_;
    Linear in_, middle_, out_;
    LayerNorm norm_;
};

} // namespace aianime::nn
