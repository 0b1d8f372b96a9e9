// SPDX-License-Identifier: LGPL-2.1-or-later
// IP-Adapters against diffusers (tests/golden/make_ip_adapter.py).
#include "nn/aten.h"
#include "nn/ip_adapter.h"
#include "nn/module.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::ImagePrompt;
using nn::ImageScales;
using nn::IpAdapter;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/ip_adapter/" + name; }

// U-Net, picture encoder and inputs.
struct Tiny {
    const NetworkGolden io{"ip_adapter/unet"};
    nn::UNet unet{nn::UNetConfig::from_json(io.config())};
    nn::ClipVision tower{io::Json::load(golden("tower/config.json"))};
    at::Tensor pictures = io.tensor("pictures");

    Tiny() {
        io.load_into(unet.module(), at::kFloat);
        tower.load(nn::WeightSource::from_folder(golden("tower")), at::kFloat, at::kCPU);
    }
    IpAdapter adapter(const std::string &file) const { return {golden(file), unet.config(), at::kFloat, at::kCPU}; }
    // Of the first or the second picture, or both.
    ImagePrompt prompt(const std::string &kind, int64_t first, int64_t count, const ImageScales &scales = {}) const {
        return adapter(kind + ".safetensors").prompt(tower, pictures.slice(0, first, first + count), 2, scales);
    }
    at::Tensor run(const std::vector<ImagePrompt> *images) const {
        return unet.forward(io.tensor("x"), 437, io.tensor("text"), nullptr, nullptr, nullptr, images);
    }
    void expect(const std::string &name, const std::vector<ImagePrompt> &images) const {
        expect_close(run(&images), io.tensor(name), 1e-4, name);
    }
};

nn::UNetConfig version_1() {
    return nn::UNetConfig::from_json(io::Json::parse(R"({"block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768,
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})",
                                                     "config.json"));
}

void expect_refusal(const std::vector<ListedTensor> &tensors, const char *text) {
    const TempFolder folder;
    write_hollow(folder.path("adapter.safetensors"), tensors);
    expect_error([&] { IpAdapter(folder.path("adapter.safetensors"), version_1(), at::kHalf, at::kCPU); }, AIANIME_BAD_DATA, text);
}

} // namespace

AIANIME_TEST(base) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    ck_assert_str_eq(tiny.adapter("base.safetensors").kind().c_str(), "base");
    tiny.expect("base", {tiny.prompt("base", 0, 1)});
}

AIANIME_TEST(plus) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    ck_assert_str_eq(tiny.adapter("plus.safetensors").kind().c_str(), "plus");
    tiny.expect("plus", {tiny.prompt("plus", 0, 1)});
}

AIANIME_TEST(full_face) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    ck_assert_str_eq(tiny.adapter("full-face.safetensors").kind().c_str(), "full-face");
    tiny.expect("full-face", {tiny.prompt("full-face", 0, 1)});
}

AIANIME_TEST(a_scale_for_each_part) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    tiny.expect("parts", {tiny.prompt("base", 1, 1, {1, 0.25, 1.5, 0})});
    tiny.expect("parts", {tiny.prompt("base", 1, 1, {0.5, 0.5, 3, 0})});
}

AIANIME_TEST(two_pictures_and_two_adapters) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    tiny.expect("two_pictures", {tiny.prompt("plus", 0, 2, {0.6})});
    tiny.expect("two_adapters", {tiny.prompt("base", 0, 1, {0.5}), tiny.prompt("full-face", 1, 1, {0.75})});
}

AIANIME_TEST(names_of_the_training_code) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    const TempFolder folder;
    const nn::WeightSource source = nn::WeightSource::from_file(golden("base.safetensors"));
    std::vector<ListedTensor> tensors;
    for (const std::string &name : source.names()) {
        const bool projection = name.compare(0, 11, "image_proj.") == 0;
        const std::string renamed = projection ? "image_proj_model." + name.substr(11) : "adapter_modules." + name.substr(11);
        tensors.push_back({name, "F16", source.shape(name), renamed});
    }
    write_synthetic(folder.path("trained.safetensors"), tensors);
    for (ListedTensor &tensor : tensors)
        tensor.stored = tensor.name;
    write_synthetic(folder.path("published.safetensors"), tensors);
    std::vector<at::Tensor> found;
    for (const char *file : {"trained.safetensors", "published.safetensors"}) {
        const IpAdapter adapter(folder.path(file), tiny.unet.config(), at::kFloat, at::kCPU);
        const std::vector<ImagePrompt> images = {adapter.prompt(tiny.tower, tiny.pictures, 2, {})};
        found.push_back(tiny.run(&images));
    }
    ck_assert(at::equal(found[0], found[1]));
}

AIANIME_TEST(without_pictures_nothing_changes) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    const at::Tensor alone = tiny.run(nullptr);
    expect_close(alone, tiny.io.tensor("alone"), 1e-4, "alone");
    const std::vector<ImagePrompt> none, silent = {tiny.prompt("base", 0, 1, {0})};
    ck_assert(at::equal(tiny.run(&none), alone));
    ck_assert(at::equal(tiny.run(&silent), alone));
}

// The encoder may run in another precision than the U-Net and its adapter.
AIANIME_TEST(bfloat16_is_near) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    nn::UNet unet(tiny.unet.config());
    tiny.io.load_into(unet.module(), at::kBFloat16);
    for (const char *kind : {"base", "plus", "full-face"}) {
        const IpAdapter adapter(golden(std::string(kind) + ".safetensors"), unet.config(), at::kBFloat16, at::kCPU);
        const std::vector<ImagePrompt> images = {adapter.prompt(tiny.tower, tiny.pictures.slice(0, 0, 1), 2, {})};
        const at::Tensor found = unet.forward(tiny.io.tensor("x"), 437, tiny.io.tensor("text"), nullptr, nullptr, nullptr, &images);
        ck_assert(found.scalar_type() == at::kBFloat16);
        expect_close(found, tiny.io.tensor(kind), 5e-2, kind);
    }
}

// A branch's picture serves all of its frames.
AIANIME_TEST(frames_share_a_picture) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    const std::vector<ImagePrompt> images = {tiny.prompt("plus", 0, 1)};
    const at::Tensor x = tiny.io.tensor("x"), text = tiny.io.tensor("text");
    const at::Tensor frames = at::repeat_interleave(x, 3, 0);
    const at::Tensor found = tiny.unet.forward(frames, 437, text, nullptr, nullptr, nullptr, &images);
    expect_close(found, at::repeat_interleave(tiny.io.tensor("plus"), 3, 0), 1e-4, "three frames a branch");
    const std::vector<ImagePrompt> positive = {
        tiny.adapter("plus.safetensors").prompt(tiny.tower, tiny.pictures.slice(0, 0, 1), 1, {})};
    const at::Tensor one = tiny.unet.forward(x.slice(0, 1), 437, text.slice(0, 1), nullptr, nullptr, nullptr, &positive);
    expect_close(one, tiny.io.tensor("plus").slice(0, 1), 1e-4, "one branch");
}

AIANIME_TEST(names_and_shapes_of_the_published_files) {
    const TempFolder folder;
    for (const auto &[name, kind, parameters] :
         std::vector<std::tuple<std::string, std::string, int64_t>>{{"base", "base", 22319616},
                                                                    {"vit-G", "base", 23106048},
                                                                    {"plus", "plus", 49087488},
                                                                    {"full-face", "full-face", 21794304}}) {
        write_hollow(folder.path("full.safetensors"), read_tensor_list("ip_adapter/full_" + name));
        IpAdapter adapter(folder.path("full.safetensors"), version_1(), at::kHalf, at::kCPU);
        ck_assert_str_eq(adapter.kind().c_str(), kind.c_str());
        ck_assert_int_eq(adapter.module().parameter_count(), parameters);
    }
}

AIANIME_TEST(adapters_that_are_refused) {
    const ListedTensor lora = {"ip_adapter.0.to_q_lora.down.weight", "F16", {4, 4}},
                       norm = {"image_proj.norm.weight", "F16", {768}};
    expect_refusal({lora, {"image_proj.proj.0.weight", "F16", {1024, 512}}}, "use ip-adapter-plus-face_sd15 instead");
    expect_refusal({{"image_proj.perceiver_resampler.proj_in.weight", "F16", {4, 4}}}, "InsightFace");
    expect_refusal({{"image_proj.proj.2.weight", "F16", {4, 4}}, norm}, "FaceID");
    expect_refusal({{"conv_in.weight", "F16", {4, 4}}}, "not an IP-Adapter");
    expect_refusal({{"image_proj.proj.weight", "F16", {4 * 768, 1024}}}, "image_proj.norm.weight");
    expect_refusal({{"image_proj.proj.weight", "F16", {4 * 2048, 1280}}, {"image_proj.norm.weight", "F16", {2048}}}, "SDXL");
    expect_refusal({{"image_proj.proj.weight", "F16", {4 * 768, 1024}}, norm}, "ip_adapter.1.to_k_ip.weight");
    expect_refusal({{"image_proj.proj.weight", "F16", {1000, 1024}}, norm}, "whole tokens");
}

AIANIME_TEST(networks_that_do_not_fit) {
    const c10::InferenceMode guard;
    const Tiny tiny;
    nn::ClipVision other(io::Json::parse(
        R"({"hidden_size": 12, "intermediate_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1})", "config.json"));
    for (const char *kind : {"base.safetensors", "plus.safetensors"})
        expect_error([&] { tiny.adapter(kind).check_tower(other); }, AIANIME_BAD_DATA, "CLIP-ViT-H-14");
    std::vector<ImagePrompt> images = {tiny.prompt("base", 0, 1)};
    images.front().layers.pop_back();
    expect_error([&] { tiny.run(&images); }, AIANIME_INTERNAL, "cross-attention layers");
}

int main() {
    return run_suite("ip_adapter",
                     {base, plus, full_face, a_scale_for_each_part, two_pictures_and_two_adapters, names_of_the_training_code,
                      without_pictures_nothing_changes, bfloat16_is_near, frames_share_a_picture,
                      names_and_shapes_of_the_published_files, adapters_that_are_refused, networks_that_do_not_fit});
}
