// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "nn/blip2/config.h"
#include "nn/blip2/opt.h"
#include "nn/blip2/qformer.h"
#include "nn/blip2/vision.h"
#include "nn/weights.h"

namespace aianime::nn {

// transformers Blip2ForConditionalGeneration with OPT (arXiv 2301.12597): a picture becomes a few tokens that stand before the
// words of a prompt. Thread safety: as Module.
class Blip2Model {
public:
    // `source`: what load() will read; a head with weights of its own is there where it has one. Throws Error as Blip2Config.
    Blip2Model(const io::Json &config, const WeightSource &source);

    // In `dtype`, the Q-Former in float32 as transformers keeps it. Beside the weights there is one tensor of the file in memory.
    // Leaves out what the Q-Former's layers hold for text. Throws as nn::load(), before a weight is read.
    void load(const WeightSource &source, at::ScalarType dtype, at::Device device);
    // The checks that load() begins with.
    void check(const WeightSource &source);
    int64_t parameter_count();
    const Blip2Config &config() const { return config_; }
    const Opt &language_model() const { return generator_.language_model; }

    // Pixels as prepared_for_blip2() makes them, [n, 3, image_size, image_size] -> the picture's tokens for the language model,
    // [n, queries, width]. Throws Error (INTERNAL) for another size.
    at::Tensor picture_tokens(const at::Tensor &pixels) const;
    // The tokens of one picture, then the embeddings of words, [1, queries + words, width].
    at::Tensor prompt_embeddings(const at::Tensor &pixels, const std::vector<int64_t> &words) const;
    // The numbers of those tokens as transformers counts them for its repetition penalty. In files that have no token for places of
    // pictures only the words'.
    std::vector<int64_t> prompt_tokens(const std::vector<int64_t> &words) const;

private:
    // What is held in the type that load() was asked for.
    struct Generator : Module {
        explicit Generator(const Blip2Config &config);
        Blip2Vision vision_model;
        Linear language_projection;
        Opt language_model;
    };
    // What stays in float32.
    struct Queries : Module {
        explicit Queries(const Blip2Config &config);
        at::Tensor query_tokens;
        QFormer qformer;
    };
    Blip2Config config_;
    Generator generator_;
    Queries queries_;
};

} // namespace aianime::nn
