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

std::string listed(const std::set<std::string> &words) {
    std::string text;
    for (const std::string &word : words)
        text += (text.empty() ? "" : " and ") + word;
    return text;
}

// LyCORIS networks that are not sums with the weight.
const char *unsupported_kind(const std::string &name) {
    static constexpr const char *marks[][2] = {{".oft_blocks", "OFT or BOFT"},
                                               {".oft_diag", "OFT"},
                                               {".on_input", "(IA)3"},
                                               {".a1.weight", "GLoRA"},
                                               {".b1.weight", "GLoRA"}};
    for (const auto &[mark, kind] : marks)
        if (name.find(mark) != std::string::npos)
            return kind;
    return nullptr;
}

} // namespace

LoraFile::LoraFile(const std::string &path) : source_(WeightSource::from_file(path)) {
    for (const std::string &name : source_.names()) {
        const LoraKey key = split_lora_key(name);
        if (const char *kind = unsupported_kind(name))
            throw Error(AIANIME_BAD_DATA, path + ": a " + kind + " network (" + io::printable(name) +
                                              "); supported are LoRA, LoCon, LoHa, LoKr, DoRA and full differences");
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
    bool original_blocks = false;
    for (const auto &[layer, parts] : layers_) {
        const auto found = dialects_.find(layer);
        dialects.insert(found == dialects_.end() ? "kohya" : found->second);
        original_blocks |= has_ldm_blocks(plain_layer(layer).name);
        kinds.insert(parts.kind());
    }
    return listed(dialects) + (original_blocks ? " (original block names) " : " ") + listed(kinds);
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
