// SPDX-License-Identifier: LGPL-2.1-or-later
// Motion LoRAs merged into a motion module while it is loaded, against diffusers (tests/golden/make_motion.py).
#include "nn/aten.h"
#include "nn/lora.h"
#include "nn/motion_module.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

std::string file(const std::string &name) { return tests_folder() + "/golden/motion/" + name; }

void compare(const std::string &lora_file) {
    const c10::InferenceMode guard;
    const nn::WeightSource golden = nn::WeightSource::from_file(file("io.safetensors"));
    const auto stored = [&](const std::string &name) { return golden.tensor(name, at::kFloat, at::kCPU); };
    const at::Tensor x = stored("v2.x0"), text = stored("v2.text0");
    nn::UNet unet(nn::UNetConfig::from_json(NetworkGolden("motion/unet").config()));
    NetworkGolden("motion/unet").load_into(unet.module(), at::kFloat);
    const nn::MotionFile opened = nn::open_motion_file(file("v2.safetensors"));
    for (nn::MotionNorms norms : {nn::MotionNorms::trained, nn::MotionNorms::diffusers}) {
        nn::MotionModule motion(opened.config, unet.config(), norms, "v2");
        const nn::LoraStack loras({{file(lora_file), 0.7}}, unet.module(), nullptr, &motion.module());
        ck_assert_int_eq(loras.reports()[0].motion, 56); // seven layers of two attentions with four projections
        ck_assert_int_eq(loras.reports()[0].unet, 0);
        nn::load(motion.module(), opened.source, at::kFloat, at::kCPU, nullptr,
                 [&](const std::string &name, const at::Tensor &weight) { return loras.patch_motion(name, weight); });
        const std::string kind = norms == nn::MotionNorms::trained ? ".trained0" : ".diffusers0";
        nn::FrameAttention frames{nn::AttentionMode::self, 2, x.size(0) / 2, nullptr, false, 0};
        const at::Tensor out = unet.forward(x, stored("v2.timestep0").item<double>(), text, &frames, nullptr, &motion);
        expect_close(out, stored("lora" + kind), 1e-4, lora_file + kind);
        ck_assert_double_gt(relative_error(out, stored("v2" + kind)), 1e-2);
    }
}

} // namespace

AIANIME_TEST(names_as_published) { compare("lora.safetensors"); }
AIANIME_TEST(names_for_webui) { compare("lora_webui.safetensors"); }

int main() { return run_suite("motion_lora", {names_as_published, names_for_webui}); }
