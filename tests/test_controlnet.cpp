// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/aten.h"
#include "nn/unet.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

nn::ControlResiduals run_control(const NetworkGolden &golden, const nn::ControlNet &control) {
    const at::Tensor hint = control.embed_hint(golden.tensor("hint"));
    expect_close(hint, golden.tensor("embedded"), 1e-4, "hint");
    return control.forward(golden.tensor("x"), golden.tensor("timestep").item<double>(), golden.tensor("text"), hint, nullptr);
}

void compare_with_reference(const std::string &name, size_t residuals) {
    const c10::InferenceMode guard;
    const NetworkGolden golden(name);
    nn::ControlNet control(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(control.module(), at::kFloat);
    const nn::ControlResiduals result = run_control(golden, control);
    ck_assert_uint_eq(result.down.size(), residuals);
    for (size_t i = 0; i < residuals; i++)
        expect_close(result.down[i], golden.tensor("down" + std::to_string(i)), 1e-4, "down " + std::to_string(i));
    expect_close(result.mid, golden.tensor("mid"), 1e-4, "mid");
}

} // namespace

AIANIME_TEST(residuals) { compare_with_reference("controlnet/control", 4); }
AIANIME_TEST(residuals_without_mid_attention) { compare_with_reference("controlnet/plain_mid", 4); }
AIANIME_TEST(residuals_of_a_text_in_the_time_embedding) { compare_with_reference("controlnet/text_time", 4); }

AIANIME_TEST(unet_under_control) {
    const c10::InferenceMode guard;
    const NetworkGolden golden("controlnet/control"), unet_golden("controlnet/unet");
    nn::ControlNet control(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(control.module(), at::kFloat);
    nn::UNet unet(nn::UNetConfig::from_json(unet_golden.config()));
    unet_golden.load_into(unet.module(), at::kFloat);

    // The same control twice, at scales that sum to the reference's 0.7.
    nn::ControlResiduals sum;
    nn::accumulate(sum, run_control(golden, control), 0.5);
    nn::accumulate(sum, run_control(golden, control), 0.2);
    const at::Tensor out =
        unet.forward(golden.tensor("x"), golden.tensor("timestep").item<double>(), golden.tensor("text"), nullptr, &sum);
    expect_close(out, unet_golden.tensor("out"), 1e-4, "U-Net under control");
}

AIANIME_TEST(sums_of_residuals) {
    nn::ControlResiduals sum, one, deeper;
    one.down = {at::ones({2})};
    one.mid = at::ones({1});
    nn::ControlResiduals copy = one;
    nn::accumulate(sum, std::move(copy), 1);
    nn::accumulate(sum, std::move(one), -3);
    ck_assert_double_eq(sum.down[0][1].item<double>(), -2);
    ck_assert_double_eq(sum.mid[0].item<double>(), -2);
    deeper.down = {at::ones({2}), at::ones({2})};
    expect_error([&] { nn::accumulate(sum, std::move(deeper), 1); }, AIANIME_INTERNAL, "depth");
}

AIANIME_TEST(hints_that_do_not_fit) {
    const NetworkGolden golden("controlnet/control");
    nn::ControlNet control(nn::UNetConfig::from_json(golden.config()));
    golden.load_into(control.module(), at::kFloat);
    const at::Tensor hint = golden.tensor("hint"), x = golden.tensor("x"), text = golden.tensor("text");
    expect_error([&] { control.embed_hint(hint.slice(1, 0, 1)); }, AIANIME_INTERNAL, "[batch, channels");
    expect_error([&] { control.forward(x, 1, text, control.embed_hint(hint.slice(2, 0, 16)), nullptr); }, AIANIME_BAD_DATA,
                 "another autoencoder");
}

int main() {
    return run_suite("controlnet", {residuals, residuals_without_mid_attention, residuals_of_a_text_in_the_time_embedding,
                                    unet_under_control, sums_of_residuals, hints_that_do_not_fit});
}
