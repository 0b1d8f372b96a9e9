// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/prompt_encoder.h"
#include "pipeline/models.h"
#include "pipeline/settings.h"
#include "pipeline/shot_facts.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// Prompts as the networks read them. Every text is encoded once for as long as it is in use. Keeps references to the models, whose
// text encoder must stay.
class PromptBook {
public:
    // Throws Error as diffusion::PromptEncoder and load_textual_inversion().
    PromptBook(const Models &models, const Settings &settings, const Watch &watch);

    // Of one run: what each frame is shown, [1, tokens, width] in the networks' precision, all of them and the negative one, which
    // is undefined without guidance, with equally many tokens. Tokens that do not fit are named in a warning, once a text.
    struct Page {
        std::vector<at::Tensor> frames;
        at::Tensor negative;
    };
    Page encode(const std::vector<std::vector<WeightedPrompt>> &frames);

    // A short text as words by themselves: [tokens, width] in the networks' precision, its end token included, at most a chunk.
    at::Tensor words(const std::string &text);

    // Tokens of a text, without those that begin and end a chunk.
    int64_t tokens(const std::string &text) const { return encoder_.count(text); }

private:
    const diffusion::EncodedPrompt &look_up(const std::string &text, int64_t chunks);

    const Models &models_;
    const Settings &settings_;
    const Watch &watch_;
    diffusion::PromptEncoder encoder_;
    std::map<std::string, diffusion::EncodedPrompt> known_;
    std::map<std::string, at::Tensor> words_;
};

} // namespace aianime::pipeline
