// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/aten.h"
#include "nn/autoencoder.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

void compare_with_reference(const std::string &name, int64_t stride, int64_t channels) {
    const c10::InferenceMode guard;
    const NetworkGolden golden("autoencoder/" + name);
    const auto autoencoder = nn::Autoencoder::create(golden.config());
    ck_assert_int_eq(autoencoder->stride(), stride);
    ck_assert_int_eq(autoencoder->latent_channels(), channels);
    golden.load_into(autoencoder->module(), at::kFloat);
    expect_close(autoencoder->encode(golden.tensor("picture")), golden.tensor("encoded"), 1e-4, name + " encoded");
    expect_close(autoencoder->decode(golden.tensor("latent")), golden.tensor("decoded"), 1e-4, name + " decoded");
}

std::unique_ptr<nn::Autoencoder> create(const std::string &text) {
    return nn::Autoencoder::create(io::Json::parse(text, "config.json"));
}

std::string kl_config(const std::string &change) {
    return R"({"_class_name": "AutoencoderKL", "block_out_channels": [32], "down_block_types": ["DownEncoderBlock2D"],
               "up_block_types": ["UpDecoderBlock2D"], )" +
           change + "}";
}

} // namespace

AIANIME_TEST(kl) { compare_with_reference("kl", 2, 2); }
AIANIME_TEST(kl_old_names) { compare_with_reference("kl_old_names", 2, 2); }
AIANIME_TEST(kl_bare) { compare_with_reference("kl_bare", 4, 2); }
AIANIME_TEST(tiny) { compare_with_reference("tiny", 4, 4); }

AIANIME_TEST(configurations_that_are_refused) {
    expect_error([] { create(R"({"_class_name": "VQModel"})"); }, AIANIME_BAD_DATA, "_class_name");
    create(kl_config(R"("latents_mean": null, "sample_size": [64, 64], "force_upcast": true)"));
    for (const char *change : {R"("latents_mean": [0.0])", R"("act_fn": "relu")", R"("in_channels": 4)", R"("norm_num_groups": 5)",
                               R"("a_setting_of_tomorrow": "x")"}) {
        const std::string text = change;
        expect_error([&] { create(kl_config(text)); }, AIANIME_BAD_DATA, text.substr(1, text.find('"', 1) - 1).c_str());
    }
    for (const char *change :
         {R"("act_fn": "silu")", R"("upsampling_scaling_factor": 3)", R"("encoder_block_out_channels": [32, 64, 64, 64])",
          R"("num_encoder_blocks": [1, 1])", R"("decoder_block_out_channels": [32, 64])"}) {
        const std::string text = change, key = text.substr(1, text.find('"', 1) - 1);
        const std::string blamed = key == "decoder_block_out_channels" ? "num_decoder_blocks" : key;
        expect_error([&] { create(R"({"_class_name": "AutoencoderTiny", )" + text + "}"); }, AIANIME_BAD_DATA, blamed.c_str());
    }
}

int main() { return run_suite("autoencoder", {kl, kl_old_names, kl_bare, tiny, configurations_that_are_refused}); }
