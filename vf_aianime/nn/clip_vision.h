// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "io/json.h"

namespace aianime::nn {

class Module;
class WeightSource;

// transformers CLIPVisionModelWithProjection: what a picture is about, as IP-Adapters want it. Thread safety: as Module.
class ClipVision {
public:
    // Takes the config.json of a vision tower or of a whole CLIP ("vision_config" inside). Throws Error (BAD_DATA, OUT_OF_RANGE)
    // for a setting that makes no sense or is not known.
    explicit ClipVision(const io::Json &config);
    ~ClipVision();

    // A config.json for a file that comes without one, read off its shapes. What shapes do not tell is that of the published
    // towers: 16 heads (12 at width 768), the exact GELU from width 1280 on (ViT-H, ViT-bigG), the quick one below (OpenAI's).
    // Throws Error (BAD_DATA) where a tensor of a vision tower is missing.
    static io::Json config_of(const WeightSource &source);

    // Leaves out the text tower of a whole CLIP and position numbers. Throws as nn::load() does.
    void load(const WeightSource &source, at::ScalarType dtype, at::Device device);
    // The checks that load() begins with.
    void check(const WeightSource &source);
    Module &module();
    int64_t width() const;      // of the hidden states
    int64_t projection() const; // of the picture's embedding
    int64_t tokens() const;     // of the hidden states: patches and one for the whole picture
    int64_t image_size() const;

    // Pictures [n, 3, h, w] in [0, 1], RGB, of any size -> [n, 3, image_size, image_size]: short side resized (bicubic, to 8-bit
    // code values, as the reference works on 8-bit pictures), middle cut out, normalized. float32, on the pictures' device.
    at::Tensor preprocess(const at::Tensor &pictures) const;

    struct Features {
        at::Tensor embedding;   // [n, projection]
        at::Tensor penultimate; // [n, tokens, width]: hidden states that the last layer starts from
    };
    // `pixels` as preprocess() gives them, converted to the weights' dtype. Throws Error (INTERNAL) for another size.
    Features forward(const at::Tensor &pixels) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
