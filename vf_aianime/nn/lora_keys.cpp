// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/lora_keys.h"

#include <algorithm>
#include <cstring>

namespace aianime::nn {

namespace {

struct Ending {
    const char *text;
    const char *part;
    const char *dialect;
};

// The longer of two that both fit comes first.
constexpr Ending endings[] = {
    {".lora_down.weight", "down", "kohya"},
    {".lora_up.weight", "up", "kohya"},
    {".lora_mid.weight", "mid", "lycoris"},
    {".dora_scale", "dora", "lycoris"},
    {".lora_linear_layer.down.weight", "down", "diffusers"},
    {".lora_linear_layer.up.weight", "up", "diffusers"},
    {"_lora.down.weight", "down", "diffusers"},
    {"_lora.up.weight", "up", "diffusers"},
    {"_lora.alpha", "alpha", "diffusers"},
    {".lora.down.weight", "down", "diffusers"},
    {".lora.up.weight", "up", "diffusers"},
    {".lora.alpha", "alpha", "diffusers"},
    {".hada_w1_a", "hada_w1_a", "lycoris"},
    {".hada_w1_b", "hada_w1_b", "lycoris"},
    {".hada_w2_a", "hada_w2_a", "lycoris"},
    {".hada_w2_b", "hada_w2_b", "lycoris"},
    {".hada_t1", "hada_t1", "lycoris"},
    {".hada_t2", "hada_t2", "lycoris"},
    {".lokr_w1_a", "lokr_w1_a", "lycoris"},
    {".lokr_w1_b", "lokr_w1_b", "lycoris"},
    {".lokr_w2_a", "lokr_w2_a", "lycoris"},
    {".lokr_w2_b", "lokr_w2_b", "lycoris"},
    {".lokr_w1", "lokr_w1", "lycoris"},
    {".lokr_w2", "lokr_w2", "lycoris"},
    {".lokr_t2", "lokr_t2", "lycoris"},
    {".w_norm", "diff", "lycoris"},
    {".b_norm", "diff_b", "lycoris"},
    {".diff_b", "diff_b", "lycoris"},
    {".diff", "diff", "lycoris"},
    {".alpha", "alpha", ""},
};

// In front of a layer's name, in any number and order.
struct Start {
    const char *text;
    LoraTarget target;
};

constexpr Start starts[] = {
    {"module_", LoraTarget::any},
    {"base_model_model_", LoraTarget::any},
    {"lycoris_", LoraTarget::any},
    {"lora_unet_", LoraTarget::unet},
    {"unet_", LoraTarget::unet},
    {"model_diffusion_model_", LoraTarget::unet},
    {"diffusion_model_", LoraTarget::unet},
    {"lora_te1_", LoraTarget::text},
    {"lora_te_", LoraTarget::text},
    {"text_encoder_", LoraTarget::text},
    {"cond_stage_model_transformer_", LoraTarget::text},
    {"text_model_", LoraTarget::text},
};

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void replace_all(std::string &text, const std::string &what, const std::string &by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

// PEFT may put the adapter's name between: ".lora_A.weight", ".lora_A.default.weight".
LoraKey split_peft_key(const std::string &name) {
    static constexpr const char *marks[][2] = {{".lora_A.", "down"}, {".lora_B.", "up"}};
    for (const auto &[mark, part] : marks) {
        const size_t at = name.rfind(mark);
        if (at == std::string::npos)
            continue;
        const std::string rest = name.substr(at + std::strlen(mark));
        if (rest == "weight" || (ends_with(rest, ".weight") && std::count(rest.begin(), rest.end(), '.') == 1))
            return {name.substr(0, at), part, "peft"};
    }
    const size_t at = name.rfind(".lora_magnitude_vector");
    return at == std::string::npos ? LoraKey() : LoraKey{name.substr(0, at), "magnitude", "peft"};
}

} // namespace

LoraKey split_lora_key(const std::string &name) {
    for (const Ending &ending : endings)
        if (ends_with(name, ending.text) && name.size() > std::strlen(ending.text))
            return {name.substr(0, name.size() - std::strlen(ending.text)), ending.part, ending.dialect};
    return split_peft_key(name);
}

std::string underscored(const std::string &name) {
    std::string result = name;
    std::replace(result.begin(), result.end(), '.', '_');
    return result;
}

LoraLayer plain_layer(const std::string &layer) {
    LoraLayer result{underscored(layer)};
    for (bool again = true; again;) {
        again = false;
        for (const Start &start : starts) {
            if (!starts_with(result.name, start.text))
                continue;
            result.name.erase(0, std::strlen(start.text));
            if (start.target != LoraTarget::any)
                result.target = start.target;
            again = true;
        }
    }
    replace_all(result.name, "_processor_", "_");
    return result;
}

} // namespace aianime::nn
