// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "io/json.h"

namespace aianime::nn {

class Module;
class WeightSource;

// timm's VisionTransformer as the WD taggers v3 use it (SmilingWolf/wd-vit-tagger-v3, wd-vit-large-tagger-v3): patches with learned
// positions, no class token, the mean of all tokens, one number a tag. Thread safety: as Module.
class VitTagger {
public:
    // Takes timm's config.json: "architecture" (vit_tiny, small, base or large_patchP_S), "num_classes", "model_args", and of
    // "pretrained_cfg" how a picture is prepared. Throws Error (BAD_DATA, OUT_OF_RANGE) for another architecture, by its name, and
    // for a setting that makes no sense or is not known.
    explicit VitTagger(const io::Json &config);
    ~VitTagger();

    // A config.json for a file that comes without one, read off its shapes. What shapes do not tell is that of the published
    // taggers: heads of 64 channels, the GELU by tanh that they were trained with, pictures normalized by 0.5 and 0.5. Throws Error
    // (BAD_DATA) where it is no such network, or where shapes do not tell the heads.
    static io::Json config_of(const WeightSource &source);

    // Throws as nn::load() does.
    void load(const WeightSource &source, at::ScalarType dtype, at::Device device);
    // The checks that load() begins with.
    void check(const WeightSource &source);
    Module &module();
    int64_t classes() const;
    int64_t image_size() const;

    // Pictures [n, 3, h, w] in [0, 1], RGB, of any size -> [n, 3, image_size, image_size]: made square with white, the picture in
    // the middle, resized as Pillow does (bicubic, 8 bit), normalized, and in the order B, G, R, which the taggers were trained
    // with (Generators/WDTaggerGen.py of SmilingWolf/JAX-CV). The square is made at full size: n * 3 * max(h, w)^2 numbers.
    // float32.
    at::Tensor preprocess(const at::Tensor &pictures) const;

    // `pixels` as preprocess() gives them, converted to the weights' dtype -> [n, classes], before the sigmoid. Throws Error
    // (INTERNAL) for another size.
    at::Tensor forward(const at::Tensor &pixels) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
