// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/aten.h"
#include "nn/unet.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

void compare_with_reference(const std::string &name, int sizes, at::ScalarType dtype, double limit) {
    const c10::InferenceMode guard;
    const NetworkGolden golden(name);
    nn::UNet unet(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(unet.module(), dtype);
    for (int i = 0; i < sizes; i++) {
        const std::string n = std::to_string(i);
        const double timestep = golden.tensor("timestep" + n).item<double>();
        const at::Tensor out = unet.forward(golden.tensor("x" + n), timestep, golden.tensor("text" + n), nullptr, nullptr);
        ck_assert(out.scalar_type() == dtype);
        expect_close(out, golden.tensor("out" + n), limit, name + " " + n);
    }
}

nn::UNetConfig config_with(const std::string &changes) {
    return nn::UNetConfig::from_json(io::Json::parse(R"({"block_out_channels": [32, 64],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"])" +
                                                         (changes.empty() ? "" : ", " + changes) + "}",
                                                     "config.json"));
}

void share_texts(const char *name) {
    const c10::InferenceMode guard;
    const NetworkGolden golden(name);
    nn::UNet unet(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(unet.module(), at::kFloat);
    const at::Tensor x = at::cat({golden.tensor("x0"), golden.tensor("x0").flip(3)}), text = golden.tensor("text0");
    const at::Tensor shared = unet.forward(x, 7, text, nullptr, nullptr);
    const at::Tensor each = unet.forward(x, 7, at::repeat_interleave(text, 2, 0), nullptr, nullptr);
    expect_close(shared, each, 1e-5, "two texts for four pictures");
    expect_close(unet.forward(x, 7, text.slice(0, 0, 1), nullptr, nullptr).slice(0, 0, 2), each.slice(0, 0, 2), 1e-5, "one text");
}

} // namespace

AIANIME_TEST(heads_as_one_number) { compare_with_reference("unet/heads", 2, at::kFloat, 1e-4); }
AIANIME_TEST(settings_as_lists) { compare_with_reference("unet/lists", 1, at::kFloat, 1e-4); }
AIANIME_TEST(middle_without_attention) { compare_with_reference("unet/plain_mid", 1, at::kFloat, 1e-4); }
AIANIME_TEST(text_in_time_embedding) { compare_with_reference("unet/text_time", 1, at::kFloat, 1e-4); }
AIANIME_TEST(no_middle) { compare_with_reference("unet/no_mid", 1, at::kFloat, 1e-4); }
AIANIME_TEST(bfloat16_is_near) { compare_with_reference("unet/heads", 2, at::kBFloat16, 5e-2); }

AIANIME_TEST(texts_are_shared_by_consecutive_pictures) {
    share_texts("unet/heads");
    share_texts("unet/text_time");
}

AIANIME_TEST(calls_that_do_not_fit) {
    const NetworkGolden golden("unet/heads");
    nn::UNet unet(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(unet.module(), at::kFloat);
    const at::Tensor x = golden.tensor("x0"), text = golden.tensor("text0");
    nn::ControlResiduals residuals;
    residuals.down = {x};
    expect_error([&] { unet.forward(x.slice(1, 0, 3), 0, text, nullptr, nullptr); }, AIANIME_INTERNAL, "[batch, 4,");
    expect_error([&] { unet.forward(x, 0, text.slice(2, 0, 4), nullptr, nullptr); }, AIANIME_BAD_DATA, "cross_attention_dim");
    expect_error([&] { unet.forward(x, 0, text, nullptr, &residuals); }, AIANIME_INTERNAL, "residuals");
}

AIANIME_TEST(configurations) {
    const nn::UNetConfig plain = config_with("");
    ck_assert_int_eq(plain.heads[1], 8);
    ck_assert_int_eq(plain.layers_per_block[0], 2);
    ck_assert_int_eq(plain.stride(), 2);
    ck_assert(plain.mid_block && plain.mid_cross_attention);
    ck_assert_int_eq(config_with(R"("attention_head_dim": 4, "num_attention_heads": 2)").heads[0], 2);
    ck_assert_int_eq(config_with(R"("attention_head_dim": [4, 16])").heads[1], 16);
    ck_assert_int_eq(config_with(R"("attention_head_dim": [4, 16], "num_attention_heads": null)").heads[1], 16);
    ck_assert(!config_with(R"("mid_block_type": null)").mid_block);
    ck_assert(!config_with(R"("class_embed_type": null, "_diffusers_version": "1", "only_cross_attention": [false, false])")
                   .use_linear_projection);
}

AIANIME_TEST(configurations_that_are_refused) {
    for (const char *change :
         {R"("class_embed_type": "timestep")", R"("addition_embed_type": "text_time")", R"("time_cond_proj_dim": 256)",
          R"("only_cross_attention": [false, true])", R"("resnet_time_scale_shift": "scale_shift")", R"("conv_in_kernel": 1)",
          R"("downsample_padding": 0)", R"("act_fn": "mish")", R"("layers_per_block": [1, 1, 1])",
          R"("mid_block_type": "UNetMidBlock2DSimpleCrossAttn")", R"("attention_head_dim": 7)", R"("norm_num_groups": 48)",
          R"("a_setting_of_tomorrow": 1)"}) {
        const std::string text = change;
        expect_error([&] { config_with(text); }, AIANIME_BAD_DATA, text.substr(1, text.find('"', 1) - 1).c_str());
    }
    expect_error([] { nn::UNetConfig::from_json(io::Json::parse(R"({"block_out_channels": [32]})", "config.json")); },
                 AIANIME_BAD_DATA, "down_block_types");
    expect_error(
        [] {
            nn::UNet unet(nn::UNetConfig::from_json(
                io::Json::parse(R"({"block_out_channels": [32], "down_block_types": ["DownBlock2D"]})", "config.json")));
        },
        AIANIME_BAD_DATA, "up_block_types");
}

int main() {
    return run_suite("unet", {heads_as_one_number, settings_as_lists, middle_without_attention, text_in_time_embedding, no_middle,
                              bfloat16_is_near, texts_are_shared_by_consecutive_pictures, calls_that_do_not_fit, configurations,
                              configurations_that_are_refused});
}
