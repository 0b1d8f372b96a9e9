// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/lora_file.h"

#include <cmath>
#include <set>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/lora_alpha.h"
#include "nn/lora_keys.h"

namespace aianime::nn {

namespace {

// Blocks under the original code's names.
bool has_ldm_blocks(const std::string &plain_name) {
    for (const char *block : {"input_blocks_", "middle_block_", "output_blocks_"})
        if (plain_name.rfind(block, 0) == 0)
            return true;
    return false;
}

} // namespace

LoraFile::LoraFile(const std::string &path) : source_(WeightSource::from_file(path)) {
    for (const std::string &name : source_.names()) {
        const LoraKey key = split_lora_key(name);
        if (key.layer.empty()) {
            unknown_.push_back(name);
            continue;
        }
        if (!layers_[key.layer].tensors.emplace(key.part, name).second)
            throw Error(AIANIME_BAD_DATA, path + ": " + io::printable(name) + " is there twice, under two names");
        if (!key.dialect.empty() && dialects_[key.layer] != "lycoris")
            dialects_[key.layer] = key.dialect;
    }
    if (layers_.empty())
        throw Error(AIANIME_BAD_DATA,
                    path + ": there is no LoRA in this file" + (unknown_.empty() ? "" : ", but " + io::quoted(unknown_.front())));
    for (const auto &[layer, parts] : layers_)
        if (const std::string defect = parts.defect(); !defect.empty())
            throw Error(AIANIME_BAD_DATA, path + ": " + io::printable(layer) + " " + defect + "; the file is incomplete");
    read_alphas();
}

void LoraFile::read_alphas() {
    const LoraAlphas alphas(path());
    for (auto &[layer, parts] : layers_) {
        const LoraTarget target = plain_layer(layer).target;
        parts.rank_stabilized = alphas.rank_stabilized(target);
        if (!parts.has("alpha")) {
            parts.alpha = alphas.alpha(layer, target);
            continue;
        }
        const at::Tensor stored = tensor(parts.tensors.at("alpha"));
        const double alpha = stored.numel() == 1 ? stored.item<double>() : NAN;
        if (!std::isfinite(alpha) || alpha == 0)
            throw Error(AIANIME_BAD_DATA, path() + ": the alpha of " + io::printable(layer) + " is 0 or not a number");
        parts.alpha = alpha;
    }
}

std::string LoraFile::dialect() const {
    std::set<std::string> dialects, kinds;
    for (const auto &[layer, parts] : layers_) {
        const auto found = dialects_.find(layer);
        const std::string blocks = has_ldm_blocks(plain_layer(layer).name) ? " (original block names)" : "";
        dialects.insert((found == dialects_.end() ? "kohya" : found->second) + blocks);
        kinds.insert(parts.kind());
    }
    std::string text;
    for (const std::set<std::string> *words : {&dialects, &kinds}) {
        text += text.empty() ? "" : " ";
        for (const std::string &word : *words)
            text += (word == *words->begin() ? "" : " and ") + word;
    }
    return text;
}

int64_t LoraFile::text_width() const {
    for (const auto &[layer, parts] : layers_)
        if (parts.has("down") && plain_layer(layer).name.find("attn2_to_k") != std::string::npos) {
            const std::vector<int64_t> down = shape(parts.tensors.at("down"));
            return down.size() >= 2 ? down[1] : 0;
        }
    return 0;
}

std::string LoraFile::family() const {
    switch (text_width()) {
    case 768:
        return "SD 1.x";
    case 1024:
        return "SD 2.x";
    case 2048:
        return "SDXL";
    default:
        return "";
    }
}

} // namespace aianime::nn
