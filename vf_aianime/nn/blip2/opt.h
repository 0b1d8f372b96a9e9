// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "nn/blip2/config.h"
#include "nn/layers.h"

namespace aianime::nn {

// Keys and values of the tokens seen so far, [rows, heads, tokens, width of a head] for every layer.
struct OptCache {
    std::vector<at::Tensor> keys, values;

    int64_t tokens() const;
    // Row i becomes what row rows[i] was; there may be more or fewer than before. rows: int64 [n], on the cache's device.
    void select(const at::Tensor &rows);
};

// transformers OPTForCausalLM (arXiv 2205.01068) with its head's weights tied to the embeddings of words or its own.
// Thread safety: as Module; a cache belongs to one caller at a time.
class Opt : public Module {
public:
    explicit Opt(const OptConfig &config);
    ~Opt() override;

    // ids: int64 [n, tokens], below the vocabulary's size -> [n, tokens, word width]
    at::Tensor embeddings(const at::Tensor &ids) const;
    // The next tokens' embeddings [n, tokens, word width] -> logits [n, tokens, vocabulary], float32; with `only_last` those of the
    // last token, [n, 1, vocabulary]. Tokens see those before them and those in the cache, to which they are added. Throws Error
    // (OUT_OF_RANGE) beyond the last position.
    at::Tensor forward(const at::Tensor &embeddings, OptCache &cache, bool only_last) const;

    // A head of its own that repeats the embeddings shares their memory.
    void loaded() override;

private:
    class Layer;
    OptConfig config_;
    Embedding embed_tokens, embed_positions;
    std::unique_ptr<Linear> project_in, project_out, lm_head;
    std::unique_ptr<LayerNorm> final_layer_norm;
    std::vector<std::unique_ptr<Layer>> layers;
};

} // namespace aianime::nn
