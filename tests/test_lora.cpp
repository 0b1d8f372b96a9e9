// SPDX-License-Identifier: LGPL-2.1-or-later
// LoRA files of every dialect, merged into a tiny U-Net and text encoder, against what diffusers, PEFT and LyCORIS make of them
// (tests/golden/make_lora.py).
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "io/file.h"
#include "nn/aten.h"
#include "nn/clip_text.h"
#include "nn/lora.h"
#include "nn/motion_module.h"
#include "nn/unet.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_safetensors.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::LoraReport;
using nn::LoraStack;
using nn::LoraUse;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/lora/" + name; }

std::string lora_file(const std::string &name) { return golden(name + ".safetensors"); }

at::Tensor expected(const std::string &name) {
    return nn::WeightSource::from_file(golden("expected.safetensors")).tensor(name, at::kFloat, at::kCPU);
}

// The networks, empty until load().
struct Networks {
    nn::UNet unet{nn::UNetConfig::from_json(io::Json::load(golden("unet/config.json")))};
    nn::ClipText text{io::Json::load(golden("text/config.json"))};

    LoraStack stack(const std::vector<LoraUse> &uses) { return LoraStack(uses, unet.module(), &text.module()); }
    void load(const LoraStack &stack) {
        nn::load(unet.module(), nn::WeightSource::from_folder(golden("unet")), at::kFloat, at::kCPU, nullptr,
                 [&](const std::string &name, const at::Tensor &weight) { return stack.patch_unet(name, weight); });
        nn::load(text.module(), nn::WeightSource::from_folder(golden("text")), at::kFloat, at::kCPU, nullptr,
                 [&](const std::string &name, const at::Tensor &weight) { return stack.patch_text(name, weight); });
    }
    std::map<std::string, at::Tensor> tensors() {
        std::map<std::string, at::Tensor> all;
        unet.module().visit(
            [&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) { all["unet." + name] = tensor; });
        text.module().visit(
            [&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) { all["text." + name] = tensor; });
        return all;
    }
};

// The script's three numbers for every tensor's change, against `wanted`.
void compare_changes(Networks &merged, const at::Tensor &wanted, const std::string &what) {
    Networks plain;
    plain.load(plain.stack({}));
    const std::map<std::string, at::Tensor> before = plain.tensors();
    int64_t row = 0;
    for (const auto &[name, tensor] : merged.tensors()) {
        const at::Tensor old = before.at(name).to(at::kDouble).contiguous();
        const at::Tensor change = (tensor.to(at::kDouble).contiguous() - old).flatten();
        const at::Tensor i = at::arange(change.numel(), at::kDouble);
        const double found[] = {(change * at::cos(0.37 * i + 0.1)).sum().item<double>(),
                                (change * at::cos(0.011 * i * i + 0.5)).sum().item<double>(), change.norm().item<double>()};
        const at::Tensor line = wanted[row++];
        const double length = line[2].item<double>();
        // The sum with a weight is rounded to float32: that much of the weight may be off besides.
        const double limit = length > 0 ? 1e-4 * length + 1e-6 * old.norm().item<double>() : 0;
        for (int column = 0; column < 3; column++)
            if (!(std::abs(found[column] - line[column].item<double>()) <= limit))
                ck_abort_msg("%s: %s column %d: %g instead of %g, limit %g", what.c_str(), name.c_str(), column, found[column],
                             line[column].item<double>(), limit);
    }
    ck_assert_int_eq(row, wanted.size(0));
}

// torch.randn of the script is not ours to repeat: its inputs lie in the file.
void compare_outputs(Networks &networks, const std::string &name) {
    const at::Tensor noise = networks.unet.forward(expected("x"), 310.0, expected("words"), nullptr, nullptr);
    expect_close(noise, expected(name + ".unet_out"), 1e-4, name + " U-Net");
    const at::Tensor ids = (at::arange(8, at::kLong) * 5).remainder(38).view({1, 8});
    expect_close(networks.text.forward(ids), expected(name + ".text_out"), 1e-4, name + " text encoder");
}

// `uses` merged gives what the script recorded as `name`.
LoraReport check(const std::string &name, const std::vector<LoraUse> &uses) {
    const c10::InferenceMode guard;
    Networks networks;
    const LoraStack stack = networks.stack(uses);
    networks.load(stack);
    compare_changes(networks, expected(name + ".prints"), name + " from " + uses.front().file);
    compare_outputs(networks, name);
    const LoraReport report = stack.reports().front();
    ck_assert(report.unmatched.empty());
    return report;
}

LoraReport check(const std::string &name, const std::string &file, double weight = 1, double text_weight = 1) {
    return check(name, {{lora_file(file), weight, text_weight, false}});
}

void expect_counts(const LoraReport &report, int64_t unet, int64_t text, const std::string &dialect) {
    ck_assert_int_eq(report.unet, unet);
    ck_assert_int_eq(report.text, text);
    ck_assert_int_eq(report.motion, 0);
    ck_assert_str_eq(report.dialect.c_str(), dialect.c_str());
}

} // namespace

AIANIME_TEST(nothing_changes_without_files) {
    const c10::InferenceMode guard;
    Networks networks;
    const LoraStack stack = networks.stack({});
    networks.load(stack);
    compare_outputs(networks, "none");
    const at::Tensor weight = at::ones({2, 2}, at::kHalf);
    ck_assert(stack.patch_unet("conv_in.weight", weight).is_same(weight));
}

AIANIME_TEST(kohya) {
    expect_counts(check("kohya", "kohya", 0.75, 0.5), 14, 6, "kohya LoRA");
    expect_counts(check("kohya_no_alpha", "kohya_no_alpha"), 14, 6, "kohya LoRA");
    expect_counts(check("kohya_few_step", "kohya_few_step"), 197, 0, "kohya LoRA");
}

AIANIME_TEST(kohya_with_the_original_block_names) {
    const LoraReport report = check("kohya", "kohya_original_blocks", 0.75, 0.5);
    ck_assert_str_eq(report.dialect.c_str(), "kohya (original block names) LoRA");
    check("kohya", "kohya_original_blocks_lycoris", 0.75, 0.5);
}

AIANIME_TEST(linear_layers_and_1x1_convolutions_interchange) { check("kohya", "kohya_swapped_shapes", 0.75, 0.5); }

AIANIME_TEST(diffusers_old) {
    expect_counts(check("diffusers_old", "diffusers_old", 0.6, 1.25), 12, 6, "diffusers LoRA");
    expect_counts(check("diffusers_lora", "diffusers_lora"), 14, 0, "diffusers LoRA");
}

AIANIME_TEST(domain_adapter) {
    expect_counts(check("domain_adapter", "domain_adapter"), 12, 0, "diffusers LoRA");
    check("domain_adapter", "domain_adapter_module");
    expect_counts(check("domain_adapter", "domain_adapter_webui"), 12, 0, "kohya LoRA");
}

AIANIME_TEST(peft) {
    expect_counts(check("peft", "peft"), 14, 6, "peft LoRA");
    expect_counts(check("peft_dora", "peft_dora"), 14, 6, "peft LoRA DoRA");
    expect_counts(check("peft_folder", "peft_folder/adapter_model"), 14, 0, "peft LoRA");
    expect_counts(check("peft_default", "peft_default"), 14, 0, "peft LoRA");
    check("peft_metadata_alpha", "peft_metadata_alpha");
}

AIANIME_TEST(lycoris) {
    expect_counts(check("locon", "locon", 0.7, 0.7), 5, 1, "kohya and lycoris LoCon and LoRA");
    expect_counts(check("loha", "loha", -0.5, -0.5), 6, 1, "lycoris LoHa");
    expect_counts(check("lokr", "lokr", 0.9, 0.9), 7, 1, "lycoris LoKr");
    expect_counts(check("full", "full", 0.8, 0.8), 4, 2, "lycoris full difference");
}

AIANIME_TEST(dora) {
    check("dora_out", "dora_out");
    check("dora_in", "dora_in");
    check("dora_part", "dora_part", 0.6, 0.6);
}

AIANIME_TEST(several_files_add_up) {
    const std::vector<LoraUse> uses = {
        {lora_file("kohya"), 0.75, 0.5, false}, {lora_file("loha"), -0.5, -0.5, false}, {lora_file("dora_out"), 1, 1, false}};
    check("stack", uses);
    check("stack", {uses[2], uses[0], uses[1]});
}

AIANIME_TEST(weight_zero_changes_nothing) {
    const c10::InferenceMode guard;
    Networks networks;
    const LoraStack stack = networks.stack({{lora_file("kohya"), 0, 0, false}});
    ck_assert_int_eq(stack.reports()[0].matched(), 20);
    networks.load(stack);
    compare_outputs(networks, "none");
}

AIANIME_TEST(names_of_the_text_encoder_may_have_a_prefix) {
    Networks networks;
    const LoraStack stack = networks.stack({{lora_file("kohya")}});
    const at::Tensor weight = at::zeros({8, 8}, at::kHalf);
    const at::Tensor plain = stack.patch_text("encoder.layers.0.self_attn.q_proj.weight", weight);
    ck_assert(plain.scalar_type() == at::kFloat);
    ck_assert(at::equal(plain, stack.patch_text("text_model.encoder.layers.0.self_attn.q_proj.weight", weight)));
    ck_assert(!plain.eq(0).all().item<bool>());
}

namespace {

// The attention layers of a motion module; `original`: under the names that AnimateDiff's files give them.
class MotionLayers : public nn::Module {
public:
    explicit MotionLayers(const nn::WeightSource &source, bool original) {
        tensors_.reserve(source.names().size());
        for (const std::string &stored : source.names()) {
            if (stored.rfind("before.", 0) != 0)
                continue;
            std::string name = stored.substr(7);
            own_names[name] = name;
            if (original) {
                const auto replace = [&name](const std::string &what, const std::string &by) {
                    if (const size_t at = name.find(what); at != std::string::npos)
                        name.replace(at, what.size(), by);
                };
                replace(".transformer_blocks.", ".temporal_transformer.transformer_blocks.");
                replace(".attn1.", ".attention_blocks.0.");
                replace(".attn2.", ".attention_blocks.1.");
            }
            own_names[stored.substr(7)] = name;
            tensors_.emplace_back();
            parameter(name, tensors_.back(), source.shape(stored));
        }
    }
    std::map<std::string, std::string> own_names; // by diffusers' name

private:
    std::vector<at::Tensor> tensors_;
};

} // namespace

AIANIME_TEST(motion_lora) {
    const nn::WeightSource source = nn::WeightSource::from_file(lora_file("motion_expected"));
    for (const bool original : {false, true})
        for (const char *file : {"motion_original", "motion_diffusers"}) {
            Networks networks;
            MotionLayers motion(source, original);
            const LoraStack stack({{lora_file(file), 0.8}}, networks.unet.module(), &networks.text.module(), &motion);
            ck_assert_int_eq(stack.reports()[0].motion, 36);
            ck_assert_int_eq(stack.reports()[0].matched(), 36);
            for (const auto &[name, own] : motion.own_names)
                expect_close(stack.patch_motion(own, source.tensor("before." + name, at::kFloat, at::kCPU)),
                             source.tensor("after." + name, at::kFloat, at::kCPU), 1e-5, name);
        }
    Networks networks;
    expect_error([&] { networks.stack({{lora_file("motion_original")}}); }, AIANIME_BAD_DATA, "36 of 36 layers");
}

AIANIME_TEST(one_layer_under_every_name) {
    const TempFolder folder;
    const std::string path = folder.path("a.safetensors");
    Networks networks;
    const at::Tensor down = at::arange(16, at::kFloat).view({2, 8}), up = at::arange(16, at::kFloat).view({8, 2});
    const auto check_name = [&](const std::string &name, bool text) {
        const auto with = [&name](const std::string &part) { return std::string(name).replace(name.find("{}"), 2, part); };
        // PEFT's are the dotted names whose last underscore stands before the letter.
        const bool peft = name.find(".lora_{}.") != std::string::npos && name.rfind("lora_", 0) != 0 &&
                          name.rfind("lycoris_", 0) != 0 && name.rfind("diffusion_model", 0) != 0;
        write_safetensors(path, {{with(peft ? "A" : "down"), down}, {with(peft ? "B" : "up"), up}});
        const LoraStack stack = networks.stack({{path}});
        const std::string layer = text ? "encoder.layers.1.self_attn.out_proj.weight"
                                       : "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight";
        const at::Tensor zero = at::zeros({8, 8});
        const at::Tensor patched = text ? stack.patch_text(layer, zero) : stack.patch_unet(layer, zero);
        ck_assert_msg(at::equal(patched, at::matmul(up, down)), "%s", name.c_str());
    };
    for (const char *name :
         {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0.lora_{}.weight",
          "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_out_0.lora_{}.weight",
          "lycoris_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0.lora_{}.weight",
          "diffusion_model_middle_block_1_transformer_blocks_0_attn1_to_out_0.lora_{}.weight",
          "diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_out.0.lora_{}.weight",
          "mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.{}.weight",
          "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.{}.weight",
          "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora.{}.weight",
          "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_linear_layer.{}.weight",
          "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_{}.weight",
          "base_model.model.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_{}.weight",
          "base_model.model.unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_{}.default.weight",
          "module.unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_{}.style.weight"})
        check_name(name, false);
    for (const char *name : {"lora_te_text_model_encoder_layers_1_self_attn_out_proj.lora_{}.weight",
                             "lora_te1_text_model_encoder_layers_1_self_attn_out_proj.lora_{}.weight",
                             "text_encoder.text_model.encoder.layers.1.self_attn.to_out_lora.{}.weight",
                             "text_encoder.text_model.encoder.layers.1.self_attn.out_proj.lora_linear_layer.{}.weight",
                             "text_encoder.encoder.layers.1.self_attn.out_proj.lora_{}.weight",
                             "text_encoder.text_model.encoder.layers.1.self_attn.out_proj.lora_{}.weight",
                             "base_model.model.text_model.encoder.layers.1.self_attn.out_proj.lora_{}.weight",
                             "base_model.model.text_encoder.text_model.encoder.layers.1.self_attn.out_proj.lora_{}.default.weight"})
        check_name(name, true);
}

AIANIME_TEST(layers_that_no_network_has) {
    const TempFolder folder;
    const at::Tensor two = at::ones({2, 8}), up = at::ones({8, 2});
    std::map<std::string, at::Tensor> tensors = {
        {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight", two},
        {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight", up}};
    for (int i = 0; i < 22; i++) {
        const std::string layer = "lora_unet_nowhere_" + std::to_string(i);
        tensors[layer + ".lora_down.weight"] = two;
        tensors[layer + ".lora_up.weight"] = up;
    }
    tensors["a_tensor_of_tomorrow"] = two;
    // Right name, wrong shape.
    tensors["lora_unet_conv_in.lora_down.weight"] = at::ones({2, 9, 3, 3});
    tensors["lora_unet_conv_in.lora_up.weight"] = at::ones({4, 2, 1, 1});
    const std::string path = folder.path("other.safetensors");
    write_safetensors(path, tensors);

    Networks networks;
    expect_error([&] { networks.stack({{path}}); }, AIANIME_BAD_DATA, "24 of 25 layers do not fit");
    expect_error([&] { networks.stack({{path}}); }, AIANIME_BAD_DATA, "a_tensor_of_tomorrow");
    expect_error([&] { networks.stack({{path}}); }, AIANIME_BAD_DATA, "lora_unet_conv_in ([4,81] instead of [4,4,3,3])");
    expect_error([&] { networks.stack({{path}}); }, AIANIME_BAD_DATA, "and 4 more; \"partial\": true");
    const LoraStack partial = networks.stack({{path, 1, 1, true}});
    ck_assert_int_eq(partial.reports()[0].matched(), 1);
    ck_assert_int_eq(partial.reports()[0].unmatched.size(), 24);
    const std::string name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight";
    ck_assert(at::equal(partial.patch_unet(name, at::zeros({8, 8})), at::full({8, 8}, 2.0)));

    // Without a text encoder its layers are not there; a file of which nothing fits is refused even as a part.
    expect_error([&] { LoraStack({{lora_file("kohya")}}, networks.unet.module(), nullptr); }, AIANIME_BAD_DATA, "6 of 20");
    tensors.erase("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight");
    tensors.erase("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight");
    write_safetensors(path, tensors);
    expect_error([&] { networks.stack({{path, 1, 1, true}}); }, AIANIME_BAD_DATA, "24 of 24");
}

AIANIME_TEST(other_architectures_are_named) {
    const TempFolder folder;
    Networks networks;
    const std::string layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
    for (const auto &[width, family] : std::map<int64_t, std::string>{{768, "SD 1.x"}, {1024, "SD 2.x"}, {2048, "SDXL"}}) {
        write_safetensors(folder.path("a.safetensors"),
                          {{layer + ".lora_down.weight", at::ones({2, width})}, {layer + ".lora_up.weight", at::ones({4, 2})}});
        expect_error([&] { networks.stack({{folder.path("a.safetensors")}}); }, AIANIME_BAD_DATA,
                     ("it was made for " + family + ", and the U-Net here reads texts of width 6").c_str());
    }
}

AIANIME_TEST(damaged_files_are_refused) {
    const TempFolder folder;
    const std::string path = folder.path("a.safetensors");
    const std::string q = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.";
    const at::Tensor down = at::ones({2, 8}), up = at::ones({8, 2}), square = at::ones({8, 8});
    const auto refuse = [&](const std::map<std::string, at::Tensor> &tensors, const char *part) {
        write_safetensors(path, tensors);
        Networks networks;
        expect_error([&] { networks.stack({{path, 1, 1, true}}); }, AIANIME_BAD_DATA, part);
    };
    refuse({{q + "lora_down.weight", down}}, "has down but not up");
    refuse({{q + "lora_up.weight", up}}, "has up but not down");
    refuse({{q + "lora_mid.weight", up}}, "has mid but not up");
    refuse({{q + "alpha", at::ones({1})}}, "an alpha and nothing else");
    refuse({{q + "dora_scale", at::ones({8, 1})}}, "nothing to scale");
    refuse({{q + "hada_w1_a", up}, {q + "hada_w1_b", down}}, "has hada_w1_b but not hada_w2_a");
    refuse({{q + "lokr_w1", down}}, "one half of a Kronecker product");
    refuse({{q + "lokr_w1", down}, {q + "lokr_w2_a", down}}, "has lokr_w2_a but not lokr_w2_b");
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", down}, {q + "diff", square}}, "two ways at once");
    refuse({{"conv_in.weight", down}}, "there is no LoRA in this file, but \"conv_in.weight\"");
    const std::string same = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_";
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", down}, {same + "A.weight", down}, {same + "B.weight", up}},
           "is there twice");
    refuse({{q + "oft_blocks", square}, {q + "alpha", at::ones({1})}}, "OFT or BOFT network");
    // Ranks and shapes that do not go together.
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", at::ones({3, 8})}}, "[8,2] does not go with [3,8]");
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", at::ones({2})}}, "[2] is not a matrix");
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", at::ones({2, 7})}}, "[8,7] instead of [8,8]");
    refuse({{q + "hada_w1_a", up}, {q + "hada_w1_b", down}, {q + "hada_w2_a", at::ones({1, 2})}, {q + "hada_w2_b", down}},
           "[8,8] does not go with [1,8]");
    refuse({{q + "lokr_w1", square}, {q + "lokr_w2", square}}, "[8,8] times [8,8] is not [8,8]");
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", down}, {q + "dora_scale", at::ones({5, 1})}},
           "[5,1] does not go with [8,8]");
    refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", down}, {q + "lora_mid.weight", at::ones({3, 2, 1, 1})}},
           "[3,2,1,1] does not go with [2,8]");
    // Alphas.
    for (const double alpha : {0.0, std::nan(""), HUGE_VAL})
        refuse({{q + "lora_up.weight", up}, {q + "lora_down.weight", down}, {q + "alpha", at::full({1}, alpha)}},
               "is 0 or not a number");

    Networks networks;
    expect_error([&] { networks.stack({{lora_file("kohya"), std::nan("")}}); }, AIANIME_OUT_OF_RANGE, "not a number");
    expect_error([&] { networks.stack({{folder.path("none.safetensors")}}); }, AIANIME_NOT_FOUND, "none.safetensors");
    write_file(path, "\x80\x02}q.");
    expect_error([&] { networks.stack({{path}}); }, AIANIME_FORBIDDEN, "pickle");
}

AIANIME_TEST(values_that_are_not_numbers) {
    const TempFolder folder;
    const std::string path = folder.path("a.safetensors");
    const std::string q = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.";
    write_safetensors(path, {{q + "lora_up.weight", at::full({8, 2}, HUGE_VAL)}, {q + "lora_down.weight", at::ones({2, 8})}});
    Networks networks;
    const LoraStack stack = networks.stack({{path}});
    const std::string name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight";
    expect_error([&] { return stack.patch_unet(name, at::zeros({8, 8})); }, AIANIME_BAD_DATA, "not numbers");
}

AIANIME_TEST(alphas_beside_the_tensors) {
    const TempFolder folder;
    const std::string weights = io::read_file(golden("peft_folder/adapter_model.safetensors"), 1 << 20);
    write_file(folder.path("adapter_model.safetensors"), weights);
    Networks networks;
    for (const char *config : {R"({"lora_alpha": "4"})", "[]", "{", R"({"use_rslora": 1})", R"({"lora_alpha": 0})",
                               R"({"lora_alpha": 1e99})", R"({"alpha_pattern": {"conv_out": -1}})"}) {
        write_file(folder.path("adapter_config.json"), config);
        const bool range =
            std::string(config).find_first_of("019") != std::string::npos && std::string(config).find("rs") == std::string::npos;
        expect_error([&] { networks.stack({{folder.path("adapter_model.safetensors")}}); },
                     range ? AIANIME_OUT_OF_RANGE : AIANIME_BAD_DATA, "adapter_config.json");
    }
    write_file(folder.path("adapter_config.json"), "{}");
    ck_assert_int_eq(networks.stack({{folder.path("adapter_model.safetensors")}}).reports()[0].unet, 14);
}

namespace {

// A file of rank 1 for the layers that tests/golden/lora/<list>.txt names, "{}" standing for "down" and "up".
std::map<std::string, at::Tensor> full_size_file(const std::string &list) {
    std::ifstream in(golden(list + ".txt"));
    std::map<std::string, at::Tensor> tensors;
    const auto zeros = [](std::vector<int64_t> shape, bool convolution, int64_t kernel) {
        if (convolution)
            shape.insert(shape.end(), 2, kernel);
        return at::zeros(shape, at::kHalf);
    };
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string layer;
        int64_t rows = 0, columns = 0, kernel = 0;
        words >> layer >> rows >> columns >> kernel;
        const size_t place = layer.find("{}");
        tensors[std::string(layer).replace(place, 2, "down")] = zeros({1, columns}, kernel > 0, kernel);
        tensors[std::string(layer).replace(place, 2, "up")] = zeros({rows, 1}, kernel > 0, 1);
        if (const size_t kohya = layer.find(".lora_{}"); kohya != std::string::npos)
            tensors[layer.substr(0, kohya) + ".alpha"] = at::ones({1}, at::kHalf);
    }
    return tensors;
}

} // namespace

// Names and shapes of real files against the networks at their full size; none of these has a tensor.
AIANIME_TEST(names_of_the_real_files) {
    const TempFolder folder;
    nn::UNet unet(nn::UNetConfig::from_json(io::Json::parse(R"({"block_out_channels": [320, 640, 1280, 1280],
        "attention_head_dim": 8, "cross_attention_dim": 768,
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})",
                                                            "config.json")));
    ck_assert_int_eq(unet.module().parameter_count(), 859520964);
    nn::ClipText text(io::Json::parse(R"({"model_type": "clip_text_model", "hidden_size": 768, "intermediate_size": 3072,
        "num_attention_heads": 12})",
                                      "config.json"));
    const std::string path = folder.path("a.safetensors");
    write_safetensors(path, full_size_file("full_kohya"));
    expect_counts(LoraStack({{path}}, unet.module(), &text.module()).reports()[0], 192, 72, "kohya LoRA");
    write_safetensors(path, full_size_file("full_lcm"));
    expect_counts(LoraStack({{path}}, unet.module(), nullptr).reports()[0], 278, 0, "kohya LoRA");
    write_safetensors(path, full_size_file("full_adapter"));
    expect_counts(LoraStack({{path}}, unet.module(), nullptr).reports()[0], 128, 0, "diffusers LoRA");

    write_hollow(folder.path("motion.safetensors"), read_tensor_list("motion/full_v2"));
    const nn::MotionFile file = nn::open_motion_file(folder.path("motion.safetensors"));
    nn::MotionModule motion(file.config, unet.config(), nn::MotionNorms::trained, "motion.safetensors");
    write_safetensors(path, full_size_file("full_motion"));
    ck_assert_int_eq(LoraStack({{path}}, unet.module(), &text.module(), &motion.module()).reports()[0].motion, 168);
}

int main() {
    return run_suite("lora", {nothing_changes_without_files,
                              kohya,
                              kohya_with_the_original_block_names,
                              linear_layers_and_1x1_convolutions_interchange,
                              diffusers_old,
                              domain_adapter,
                              peft,
                              lycoris,
                              dora,
                              several_files_add_up,
                              weight_zero_changes_nothing,
                              names_of_the_text_encoder_may_have_a_prefix,
                              motion_lora,
                              one_layer_under_every_name,
                              layers_that_no_network_has,
                              other_architectures_are_named,
                              damaged_files_are_refused,
                              values_that_are_not_numbers,
                              alphas_beside_the_tensors,
                              names_of_the_real_files});
}
