// SPDX-License-Identifier: LGPL-2.1-or-later
// AnimateDiff's motion modules in the layouts people have them, against diffusers (tests/golden/make_motion.py).
#include <numeric>

#include "nn/aten.h"
#include "nn/motion_module.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

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

AIANIME_TEST(the_norms_of_both_kinds_differ) {
    for (const char *name : {"v1.", "v2.", "v3.", "lcm.", "adapter.", "file."})
        ck_assert_double_gt(relative_error(stored(name + std::string("trained0")), stored(name + std::string("diffusers0"))), 1e-2);
}

AIANIME_TEST(without_a_module_nothing_changes) {
    const c10::InferenceMode guard;
    const Networks networks("v1.safetensors");
    const at::Tensor x = stored("v1.x1"), text = stored("v1.text1");
    nn::FrameAttention frames{nn::AttentionMode::self, 2, x.size(0) / 2, nullptr, false, 0};
    const at::Tensor alone = networks.unet.forward(x, 437, text, nullptr, nullptr);
    ck_assert(networks.unet.forward(x, 437, text, &frames, nullptr, nullptr).equal(alone));
    ck_assert_double_gt(relative_error(networks.run("v1.trained1", &networks.motion), alone), 1e-2);
}

AIANIME_TEST(windows_longer_than_the_position_table) {
    const c10::InferenceMode guard;
    const Networks networks("adapter");
    networks.motion.check_frames(20);
    expect_error([&] { networks.motion.check_frames(21); }, AIANIME_OUT_OF_RANGE,
                 "adapter/diffusion_pytorch_model.safetensors: AnimateDiff v2 can move 20 frames together, the window has 21");
    const at::Tensor x = at::zeros({21, 4, 4, 4}), text = stored("adapter.text0");
    expect_error([&] { networks.unet.forward(x, 1, text.slice(0, 0, 1), nullptr, nullptr, &networks.motion); },
                 AIANIME_OUT_OF_RANGE, "can move 20 frames");
    nn::FrameAttention frames{nn::AttentionMode::self, 3, 7, nullptr, false, 0};
    ck_assert_int_eq(networks.unet.forward(x, 1, text.slice(0, 0, 1), &frames, nullptr, &networks.motion).size(0), 21);
}

AIANIME_TEST(branches_do_not_touch_each_other) {
    const c10::InferenceMode guard;
    const Networks networks("v2.safetensors");
    const at::Tensor x = stored("v2.x0"), text = stored("v2.text0"), both = networks.run("v2.trained0", &networks.motion);
    nn::FrameAttention frames{nn::AttentionMode::self, 1, 8, nullptr, false, 0};
    const at::Tensor second = networks.unet.forward(x.slice(0, 8), 37, text.slice(0, 1), &frames, nullptr, &networks.motion);
    expect_close(second, both.slice(0, 8), 1e-5, "the second branch by itself");
}

AIANIME_TEST(names) {
    const auto expect = [](const std::string &stored, const std::string &name) {
        ck_assert_msg(nn::motion_name(stored) == name, "%s became %s", stored.c_str(), nn::motion_name(stored).c_str());
    };
    const std::string block = "motion_modules.2.temporal_transformer.transformer_blocks.0.";
    const std::string renamed = "motion_modules.2.transformer_blocks.0.";
    expect("module.down_blocks.0.motion_modules.1.temporal_transformer.norm.weight", "down_blocks.0.motion_modules.1.norm.weight");
    expect("mid_block." + block + "attention_blocks.1.to_out.0.bias", "mid_block." + renamed + "attn2.to_out.0.bias");
    expect("unet.up_blocks.3." + block + "attention_blocks.0.pos_encoder.pe", "up_blocks.3." + renamed + "pos_embed.pe");
    expect("up_blocks.3." + block + "attention_blocks.1.pos_encoder.pe", "");
    expect("down_blocks.0.attentions.0.norm.weight", "");
    expect("x.motion_modules.0.norm.weight", "");
}

AIANIME_TEST(files_that_are_refused) {
    const TempFolder folder;
    const auto refused = [&](const std::map<std::string, std::vector<int64_t>> &shapes, const char *why) {
        const std::string path = folder.path("file.safetensors");
        std::vector<ListedTensor> tensors;
        for (const auto &[name, shape] : shapes)
            tensors.push_back({name, "F16", shape, name});
        write_hollow(path, tensors);
        expect_error([&] { nn::open_motion_file(path); }, AIANIME_BAD_DATA, why);
    };
    const std::string layer = "down_blocks.0.motion_modules.0.temporal_transformer.";
    const std::string block = layer + "transformer_blocks.0.";
    refused({{"conv_in.weight", {8, 4, 3, 3}}}, "no motion module in it");
    refused({{layer + "norm.weight", {8}}}, "down_blocks.0.motion_modules.0 has no norm or no transformer block");
    refused({{layer + "norm.weight", {8}}, {"module." + layer + "norm.weight", {8}}}, "is there twice");
    refused({{layer + "norm.weight", {8}}, {"controlnet_cond_embedding.conv_in.weight", {16, 3, 3, 3}}}, "SparseCtrl");
    refused({{layer + "norm.weight", {8}}, {"conv_in.weight", {8, 9, 3, 3}}}, "PIA");
    refused({{"down_blocks.0.temporal_attentions.0.norm.weight", {8}}}, "HotShot-XL");
    refused({{block + "attention_blocks.0.processor.to_q_lora.down.weight", {4, 8}}}, "motion LoRA");
    refused({{layer + "norm.weight", {8}},
             {block + "norms.0.weight", {8}},
             {block + "attention_blocks.0.pos_encoder.pe", {1, 24, 8}},
             {layer + "transformer_blocks.1.attention_blocks.0.pos_encoder.pe", {1, 32, 8}}},
            "not of one length");
}

AIANIME_TEST(modules_for_another_unet) {
    const nn::UNetConfig unet = nn::UNetConfig::from_json(NetworkGolden("motion/unet").config());
    const auto refused = [&](const std::function<void(nn::MotionConfig &, nn::UNetConfig &)> &change, const char *why) {
        nn::MotionConfig motion = nn::open_motion_file(file("v2.safetensors")).config;
        nn::UNetConfig changed = unet;
        change(motion, changed);
        expect_error([&] { nn::MotionModule(motion, changed, nn::MotionNorms::trained, "m"); }, AIANIME_BAD_DATA, why);
    };
    refused([](nn::MotionConfig &, nn::UNetConfig &u) { u.layers_per_block = {2, 2}; }, "no down_blocks.0.motion_modules.1");
    refused(
        [](nn::MotionConfig &, nn::UNetConfig &u) {
            u.block_out_channels = {8, 12};
        },
        "down_blocks.1.motion_modules.0 is 16 wide, the U-Net's layer 12");
    refused(
        [](nn::MotionConfig &m, nn::UNetConfig &) {
            m.layers["down_blocks.2.motion_modules.0"] = {8, 8, 1};
        },
        "it has 8 modules, the U-Net has places for 7");
    refused([](nn::MotionConfig &, nn::UNetConfig &u) { u.mid_cross_attention = false; }, "places for 6");
    refused([](nn::MotionConfig &m, nn::UNetConfig &) { m.layers["mid_block.motion_modules.0"].heads = 3; }, "3 heads");
}

// The name spaces of the real files: nothing missing, nothing left over.
AIANIME_TEST(real_files_fit) {
    const TempFolder folder;
    const nn::UNetConfig unet =
        nn::UNetConfig::from_json(io::Json::parse(R"({"block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768,
            "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})",
                                                  "config.json"));
    const auto fits = [&](const char *title, bool mid_block, bool tables, int64_t positions, int64_t parameters) {
        std::vector<ListedTensor> tensors;
        for (ListedTensor &tensor : read_tensor_list("motion/full_v2")) {
            const bool table = tensor.name.find(".pos_encoder.") != std::string::npos;
            if ((!mid_block && tensor.name.rfind("mid_block.", 0) == 0) || (!tables && table))
                continue;
            if (table)
                tensor.shape[1] = positions;
            tensors.push_back(tensor);
        }
        const std::string path = folder.path("mm.safetensors");
        write_hollow(path, tensors);
        const nn::MotionFile opened = nn::open_motion_file(path);
        ck_assert_msg(opened.config.title() == title, "%s is taken for %s", title, opened.config.title().c_str());
        nn::MotionModule motion(opened.config, unet, nn::MotionNorms::trained, path);
        nn::check_names(motion.module(), opened.source);
        ck_assert_int_eq(motion.max_frames(), positions);
        int64_t learned = 0;
        motion.module().visit([&](const std::string &name, at::Tensor &, const std::vector<int64_t> &shape) {
            if (name.find(".pe") == std::string::npos)
                learned += std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<int64_t>());
        });
        ck_assert_int_eq(learned, parameters);
    };
    fits("AnimateDiff v1", false, true, 24, 417137600);
    fits("AnimateDiff v2", true, true, 32, 453209280);
    fits("AnimateDiff v3", false, true, 32, 417137600);
    fits("AnimateDiff v3", false, false, 32, 417137600);
    fits("AnimateLCM", true, false, 64, 453209280);
}

int main() {
    return run_suite("motion",
                     {version_1_in_original_names, version_2_with_a_prefix, version_3_among_the_tensors_of_a_unet,
                      animatelcm_without_tables, adapter_folder, diffusers_names_in_a_file, bfloat16_is_near,
                      the_norms_of_both_kinds_differ, without_a_module_nothing_changes, windows_longer_than_the_position_table,
                      branches_do_not_touch_each_other, names, files_that_are_refused, modules_for_another_unet, real_files_fit});
}
