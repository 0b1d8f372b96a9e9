// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/weight_keys.h"

namespace aianime::tools {

namespace {

struct Marker {
    const char *piece;
    const char *text;
};

// The first that is there counts: LyCORIS files may hold plain LoRA layers too.
constexpr Marker methods[] = {
    {".hada_w1", "LoHa"},          {".lokr_w", "LoKr"},         {".lora_down.", "LoRA"},         {".lora_up.", "LoRA"},
    {".lora_A.", "LoRA"},          {".lora_B.", "LoRA"},        {"_lora.down.weight", "LoRA"},   {"_lora.up.weight", "LoRA"},
    {".lora.down.weight", "LoRA"}, {".lora.up.weight", "LoRA"}, {".lora_linear_layer.", "LoRA"},
};

constexpr Marker not_sums[] = {
    {".oft_blocks", "OFT or BOFT"}, {".oft_diag", "OFT"}, {".on_input", "(IA)3"}, {".a1.weight", "GLoRA"}};

constexpr Marker dialects[] = {
    {"lora_unet_input_blocks_", "kohya, original block names"},
    {"lora_unet_middle_block_", "kohya, original block names"},
    {"lora_unet_output_blocks_", "kohya, original block names"},
    {"lora_unet_", "kohya, diffusers block names"},
    {"lora_te_", "kohya, text encoder only"},
    {"lora_te1_", "kohya, text encoder only"},
    {"lycoris_", "LyCORIS"},
    {"base_model.model.", "PEFT, base_model.model."},
    {".processor.", "diffusers, processor names"},
    {".lora_linear_layer.", "diffusers, lora_linear_layer"},
    {"_lora.down.", "diffusers"},
    {".lora.down.", "diffusers"},
    {".lora_A.", "PEFT"},
    {".lora_B.", "PEFT"},
};

std::string first_text(const WeightKeys &keys, const Marker *begin, const Marker *end) {
    for (const Marker *marker = begin; marker != end; marker++)
        if (keys.has_piece(marker->piece))
            return marker->text;
    return "";
}

// The layers that see the text tell the base's family.
int64_t text_width(const WeightKeys &keys) {
    for (const char *down : {"lora_down", "lora_A", "lora.down", "layer.down", "hada_w1_b"})
        if (const int64_t width = keys.side({"attn2", "to_k", down}, 1))
            return width;
    return 0;
}

bool is_xl(const WeightKeys &keys) {
    return keys.has_piece("lora_te2_") || keys.has_piece("text_encoder_2.") || text_width(keys) == 2048;
}

bool is_other_family(const WeightKeys &keys) {
    for (const char *piece :
         {"double_blocks", "single_blocks", "joint_blocks", "transformer_blocks_18_", "diffusion_model.layers."})
        if (keys.has_piece(piece))
            return true;
    return false;
}

std::string fits(const WeightKeys &keys) {
    if (is_xl(keys))
        return "not read: it is for Stable Diffusion XL; bases of Stable Diffusion 1 and 2 are";
    if (is_other_family(keys))
        return "not read: it is for another family; bases of Stable Diffusion 1 and 2 are";
    const std::string family = family_of_width(text_width(keys));
    return family.empty() ? "a base of the family it was trained on" : "bases of " + family;
}

} // namespace

std::optional<WeightKind> lora_kind(const WeightKeys &keys) {
    const bool adds_to_layers = keys.has_prefix("lora_unet_") || keys.has_prefix("lora_te") || keys.has_prefix("lycoris_");
    if (const std::string other = first_text(keys, std::begin(not_sums), std::end(not_sums)); adds_to_layers && !other.empty())
        return WeightKind{other, "LyCORIS", "not read: LoRA, LoCon, LoHa, LoKr, DoRA and full differences are"};
    std::string kind = first_text(keys, std::begin(methods), std::end(methods));
    if (kind.empty() && adds_to_layers && keys.has_piece(".diff"))
        kind = "full differences";
    if (kind.empty() || keys.has_prefix("ip_adapter."))
        return {};
    const std::string dialect = first_text(keys, std::begin(dialects), std::end(dialects));
    if (keys.has_piece("motion_modules."))
        return WeightKind{"motion LoRA", dialect, "motion module v2, which it moves the camera of"};
    if (keys.has_piece(".lora_mid."))
        kind = "LoCon, with lora_mid";
    if (keys.has_piece(".dora_scale") || keys.has_piece(".lora_magnitude_vector"))
        kind = "DoRA" + (kind == "LoRA" ? "" : ", " + kind);
    return WeightKind{kind, dialect, fits(keys)};
}

} // namespace aianime::tools
