// SPDX-License-Identifier: LGPL-2.1-or-later
// CLIP's picture encoder against transformers (tests/golden/make_clip_vision.py).
#include "nn/aten.h"
#include "nn/clip_vision.h"
#include "nn/module.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::ClipVision;
using nn::WeightSource;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/clip_vision/" + name; }

void check(const ClipVision &tower, const NetworkGolden &wanted) {
    const ClipVision::Features found = tower.forward(wanted.tensor("pixels"));
    expect_close(found.embedding, wanted.tensor("embedding"), 1e-4, "embedding");
    expect_close(found.penultimate, wanted.tensor("penultimate"), 1e-4, "penultimate hidden states");
    ck_assert_int_eq(found.embedding.size(1), tower.projection());
    ck_assert_int_eq(found.penultimate.size(1), tower.tokens());
    ck_assert_int_eq(found.penultimate.size(2), tower.width());
}

void check_tower(const std::string &name) {
    const c10::InferenceMode guard;
    const NetworkGolden wanted("clip_vision/" + name);
    ClipVision tower(wanted.config());
    tower.load(WeightSource::from_folder(wanted.folder()), at::kFloat, at::kCPU);
    check(tower, wanted);
}

ClipVision *make(const char *config) { return new ClipVision(io::Json::parse(config, "config.json")); }

} // namespace

AIANIME_TEST(exact_gelu) { check_tower("exact"); }
AIANIME_TEST(quick_gelu) { check_tower("quick"); }
AIANIME_TEST(the_picture_half_of_a_whole_clip) { check_tower("whole"); }

// Every size: both sides shrink, one is cut, nothing to do, both grow.
AIANIME_TEST(pictures_are_prepared_as_in_python) {
    const ClipVision tower(io::Json::load(golden("exact/config.json")));
    const WeightSource source = WeightSource::from_file(golden("pictures.safetensors"));
    for (int i = 0; i < 5; ++i) {
        const std::string n = std::to_string(i);
        const at::Tensor picture = source.tensor("picture" + n, at::kFloat, at::kCPU) / 255;
        const at::Tensor difference = tower.preprocess(picture) - source.tensor("pixels" + n, at::kFloat, at::kCPU);
        // One code value is 0.0152 at most; hardly any may be off.
        ck_assert_double_lt(difference.abs().max().item<double>(), 0.0153);
        ck_assert_double_lt(difference.abs().mean().item<double>(), 1e-4);
    }
}

AIANIME_TEST(names_and_shapes_of_the_published_towers) {
    const TempFolder folder;
    for (const auto &[name, parameters] : std::vector<std::pair<std::string, int64_t>>{
             {"ViT-H-14", 632076800}, {"ViT-bigG-14", 1844907264}, {"ViT-L-14", 303966208}}) {
        write_hollow(folder.path("model.safetensors"), read_tensor_list("clip_vision/full_" + name));
        const WeightSource source = WeightSource::from_file(folder.path("model.safetensors"));
        const io::Json config = io::Json::load(golden("full_" + name + ".json")), read_off = ClipVision::config_of(source);
        for (const io::Json &each : {config, read_off}) {
            ClipVision tower(each);
            tower.check(source);
            ck_assert_int_eq(tower.module().parameter_count(), parameters);
        }
        for (const char *key : {"num_attention_heads", "image_size", "patch_size"})
            ck_assert_int_eq(config.at(key).integer(1, 1000), read_off.at(key).integer(1, 1000));
        ck_assert_str_eq(config.at("hidden_act").string().c_str(), read_off.at("hidden_act").string().c_str());
    }
}

AIANIME_TEST(a_file_without_configuration) {
    const WeightSource source = WeightSource::from_folder(golden("exact"));
    const io::Json config = ClipVision::config_of(source);
    for (const char *key : {"hidden_size", "intermediate_size", "num_hidden_layers", "image_size", "patch_size", "projection_dim"})
        ck_assert_int_eq(config.at(key).integer(1, 1000), io::Json::load(golden("exact/config.json")).at(key).integer(1, 1000));
    ck_assert_int_eq(config.at("num_attention_heads").integer(1, 1000), 16);
    ClipVision(config).load(source, at::kFloat, at::kCPU);
    expect_error([] { ClipVision::config_of(WeightSource::from_folder(tests_folder() + "/golden/clip/exact")); }, AIANIME_BAD_DATA,
                 "not a CLIP image encoder");
}

AIANIME_TEST(what_is_refused) {
    expect_error([] { return make(R"({"hidden_act": "silu"})"); }, AIANIME_BAD_DATA, "hidden_act");
    expect_error([] { return make(R"({"hidden_size": 10, "num_attention_heads": 3})"); }, AIANIME_BAD_DATA, "num_attention_heads");
    expect_error([] { return make(R"({"model_type": "siglip_vision_model"})"); }, AIANIME_BAD_DATA, "model_type");
    expect_error([] { return make(R"({"num_channels": 4})"); }, AIANIME_BAD_DATA, "num_channels");
    ClipVision tower(io::Json::load(golden("exact/config.json")));
    expect_error([&] { tower.load(WeightSource::from_folder(tests_folder() + "/golden/clip/exact"), at::kFloat, at::kCPU); },
                 AIANIME_BAD_DATA, "vision_model.");
    expect_error([&] { tower.forward(at::zeros({1, 3, 24, 23})); }, AIANIME_INTERNAL, "[n, 3, 24, 24]");
}

int main() {
    return run_suite("clip_vision", {exact_gelu, quick_gelu, the_picture_half_of_a_whole_clip, pictures_are_prepared_as_in_python,
                                     names_and_shapes_of_the_published_towers, a_file_without_configuration, what_is_refused});
}
