// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "nn/blip2/config.h"
#include "nn/layers.h"

namespace aianime::nn {

// transformers Blip2QFormerModel (arXiv 2301.12597): a BERT whose tokens are queries, which look at a picture's tokens in every
// n-th layer. What its layers hold for text is not read. Thread safety: as Module.
class QFormer : public Module {
public:
    explicit QFormer(const QFormerConfig &config);
    ~QFormer() override;

    // queries: [n, queries, width], picture: [n, tokens, picture width], both in the weights' type -> [n, queries, width]
    at::Tensor forward(const at::Tensor &queries, const at::Tensor &picture) const;

private:
    class Layer;
    LayerNorm layernorm;
    std::vector<std::unique_ptr<Layer>> layers;
};

} // namespace aianime::nn
