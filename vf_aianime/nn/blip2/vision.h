// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "nn/blip2/config.h"
#include "nn/layers.h"

namespace aianime::nn {

// transformers Blip2VisionModel: EVA's ViT-g (arXiv 2211.07636), the norm before attention, one projection for queries, keys and
// values. Thread safety: as Module.
class Blip2Vision : public Module {
public:
    explicit Blip2Vision(const Blip2VisionConfig &config);
    ~Blip2Vision() override;

    // [n, 3, image_size, image_size], as prepared_for_blip2() makes them -> [n, tokens, width], the first one for the whole picture
    at::Tensor forward(const at::Tensor &pixels) const;

private:
    class Embeddings;
    class Layer;
    std::unique_ptr<Embeddings> embeddings;
    std::vector<std::unique_ptr<Layer>> layers;
    LayerNorm post_layernorm;
};

// Pictures [n, 3, h, w] in [0, 1], RGB, of any size -> [n, 3, side, side]: both sides resized (bicubic, to 8-bit code values, as
// BlipImageProcessor works on 8-bit pictures), normalized as CLIP's. float32, on the pictures' device.
at::Tensor prepared_for_blip2(const at::Tensor &pictures, int64_t side);

} // namespace aianime::nn
