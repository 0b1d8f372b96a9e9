// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "nn/clip_vision.h"
#include "nn/module.h"

namespace aianime::nn {

class WeightSource;

// The first half of an IP-Adapter: from what CLIP says of a picture to tokens beside the text's. Members are named as in the files,
// below "image_proj.".
class ImageProjection : public Module {
public:
    enum class Kind {
        base, // one linear layer on the picture's embedding: base and light
        plus, // queries that attend to the hidden states: plus and plus-face
        full  // every hidden state on its own: full-face
    };

    // Kind and sizes are told by names and shapes. Throws Error (BAD_DATA) for what is none of these, naming FaceID as such.
    static std::unique_ptr<ImageProjection> make(const WeightSource &source);

    virtual Kind kind() const = 0;
    virtual int64_t features() const = 0; // channels that come in: ClipVision::projection() for base, width() for the others
    virtual int64_t width() const = 0;    // of the tokens
    // [n, features] (base) or [n, clip tokens, features] in the weights' dtype -> [n, tokens, width]
    virtual at::Tensor forward(const at::Tensor &features) const = 0;
};

} // namespace aianime::nn
