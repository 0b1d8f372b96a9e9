// SPDX-License-Identifier: LGPL-2.1-or-later
// AnimateDiff's motion modules in the layouts people have them, against diffusers (tests/golden/make_motion.py).
#include "nn/aten.h"
#include "nn/motion_module.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

const nn::WeightSource &golden() {
    static const nn::WeightSource source = nn::WeightSource::from_file(tests_folder() + "/golden/motion/io.safetensors");
    return source;
}

at::Tensor stored(const std::string &name) { return golden().tensor(name, at::kFloat, at::kCPU); }

std::string file(const std::string &name) { return tests_folder() + "/golden/motion/" + name; }

// The U-Net of all cases, and a motion module on it.
struct Networks {
    explicit Networks(const std::string &motion_file, nn::MotionNorms norms = nn::MotionNorms::trained,
                      at::ScalarType dtype = at::kFloat)
        : opened(nn::open_motion_file(file(motion_file))), unet(nn::UNetConfig::from_json(NetworkGolden("motion/unet").config())),
          motion(opened.config, unet.config(), norms, opened.source.description()) {
        NetworkGolden("motion/unet").load_into(unet.module(), dtype);
        nn::load(motion.module(), opened.source, dtype, at::kCPU);
    }

    at::Tensor run(const std::string &name, const nn::MotionModule *module) const {
        const at::Tensor x = stored(name.substr(0, name.find('.')) + ".x" + name.back());
        const at::Tensor text = stored(name.substr(0, name.find('.')) + ".text" + name.back());
        const double timestep = stored(name.substr(0, name.find('.')) + ".timestep" + name.back()).item<double>();
        nn::FrameAttention frames{nn::AttentionMode::self, text.size(0), x.size(0) / text.size(0), nullptr, false, 0};
        return unet.forward(x, timestep, text, &frames, nullptr, module);
    }

    nn::MotionFile opened;
    nn::UNet unet;
    nn::MotionModule motion;
};

void compare(const std::string &motion_file, const std::string &name, const char *title, int64_t max_frames, int runs = 1,
             at::ScalarType dtype = at::kFloat, double limit = 1e-4) {
    const c10::InferenceMode guard;
    for (nn::MotionNorms norms : {nn::MotionNorms::trained, nn::MotionNorms::diffusers}) {
        const Networks networks(motion_file, norms, dtype);
        ck_assert_str_eq(networks.opened.config.title().c_str(), title);
        ck_assert_int_eq(networks.motion.max_frames(), max_frames);
        for (int i = 0; i < runs; i++) {
            const std::string run = name + (norms == nn::MotionNorms::trained ? ".trained" : ".diffusers") + std::to_string(i);
            const at::Tensor out = networks.run(run, &networks.motion);
            expect_close(out, stored(run), limit, run);
            printf("%s: %.2g\n", run.c_str(), relative_error(out, stored(run)));
        }
    }
}

} // namespace

AIANIME_TEST(version_1_in_original_names) { compare("v1.safetensors", "v1", "AnimateDiff v1", 24, 2); }
AIANIME_TEST(version_2_with_a_prefix) { compare("v2.safetensors", "v2", "AnimateDiff v2", 32); }
AIANIME_TEST(version_3_among_the_tensors_of_a_unet) { compare("v3_whole.safetensors", "v3", "AnimateDiff v3", 32); }
AIANIME_TEST(animatelcm_without_tables) { compare("animatelcm.safetensors", "lcm", "AnimateLCM", 64); }
AIANIME_TEST(adapter_folder) { compare("adapter", "adapter", "AnimateDiff v2", 20); }
AIANIME_TEST(diffusers_names_in_a_file) { compare("diffusers_names.safetensors", "file", "AnimateDiff v2", 32); }
AIANIME_TEST(bfloat16_is_near) { compare("v2.safetensors", "v2", "AnimateDiff v2", 32, 1, at::kBFloat16, 5e-2); }

int main() {
    return run_suite("motion", {version_1_in_original_names, version_2_with_a_prefix, version_3_among_the_tensors_of_a_unet,
                                animatelcm_without_tables, adapter_folder, diffusers_names_in_a_file, bfloat16_is_near});
}
