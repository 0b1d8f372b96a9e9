// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/textual_inversion.h"

#include <filesystem>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr const char *web_ui_prefix = "string_to_param.";

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

// What the web UIs store beside the vectors.
bool is_bookkeeping(const std::string &key) { return starts_with(key, "string_to_token.") || key == "step"; }

// The key of the vectors; throws when there is not exactly one that can be meant.
std::string vectors_key(const WeightSource &source) {
    if (source.has("clip_g"))
        throw Error(AIANIME_BAD_DATA, source.description() +
                                          ": an embedding for SDXL (it has a tensor clip_g); embeddings for Stable Diffusion 1.x "
                                          "and 2.x are supported");
    if (source.has("emb_params"))
        return "emb_params";
    std::vector<std::string> keys;
    for (const std::string &key : source.names())
        if (!is_bookkeeping(key))
            keys.push_back(key);
    if (keys.size() != 1)
        throw Error(AIANIME_BAD_DATA,
                    source.description() + ": not an embedding: " + std::to_string(keys.size()) +
                        " tensors, where a textual inversion has one (emb_params, string_to_param.* or its token)");
    return keys.front();
}

} // namespace

TextualInversion load_textual_inversion(const std::string &file) {
    const WeightSource source = WeightSource::from_file(file);
    const std::string key = vectors_key(source);
    const size_t sides = source.shape(key).size();
    if (sides < 1 || sides > 2)
        throw Error(AIANIME_BAD_DATA, source.description() + ": not an embedding: its tensor " + io::quoted(key) + " has " +
                                          std::to_string(sides) + " dimensions instead of [vectors, width]");
    TextualInversion result;
    const bool named_by_file = key == "emb_params" || key == "*" || starts_with(key, web_ui_prefix);
    result.name = named_by_file ? std::filesystem::path(file).stem().string() : key;
    result.file = file;
    result.vectors = source.tensor(key, at::kFloat, at::kCPU);
    if (sides == 1)
        result.vectors = result.vectors.unsqueeze(0);
    if (result.name.empty() || result.vectors.numel() == 0)
        throw Error(AIANIME_BAD_DATA, source.description() + ": an embedding without a name or without vectors");
    if (!at::isfinite(result.vectors).all().item<bool>())
        throw Error(AIANIME_BAD_DATA, source.description() + ": the embedding holds values that are not finite; it is damaged");
    return result;
}

} // namespace aianime::nn
