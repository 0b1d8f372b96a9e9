// SPDX-License-Identifier: LGPL-2.1-or-later
// The WD taggers' network against timm (tests/golden/make_vit_tagger.py).
#include "nn/aten.h"
#include "nn/module.h"
#include "nn/vit_tagger.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::VitTagger;
using nn::WeightSource;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/vit_tagger/" + name; }

void check_network(const std::string &name) {
    const c10::InferenceMode guard;
    const NetworkGolden wanted("vit_tagger/" + name);
    VitTagger tagger(wanted.config());
    tagger.load(WeightSource::from_folder(wanted.folder()), at::kFloat, at::kCPU);
    const at::Tensor pixels = wanted.tensor("pixels");
    expect_close(tagger.forward(pixels), wanted.tensor("logits"), 1e-5, "logits");
    ck_assert_int_eq(pixels.size(2), tagger.image_size());
    ck_assert_int_eq(tagger.classes(), 16);
}

// A config.json of the published shape with something in it replaced.
io::Json changed(const std::string &before, const std::string &after) {
    std::string text = R"({"architecture": "vit_base_patch16_224", "num_classes": 9, "num_features": 768, "global_pool": "avg",
        "model_args": {"img_size": 448, "class_token": false, "fc_norm": false, "act_layer": "gelu_tanh"},
        "pretrained_cfg": {"input_size": [3, 448, 448], "interpolation": "bicubic", "crop_pct": 1.0, "mean": [0.5, 0.5, 0.5]}})";
    const size_t at = text.find(before);
    ck_assert_msg(at != std::string::npos, "nothing to replace: %s", before.c_str());
    return io::Json::parse(text.replace(at, before.size(), after), "config.json");
}

void expect_refused(const std::string &before, const std::string &after, const char *part, aianime_result code = AIANIME_BAD_DATA) {
    expect_error([&] { VitTagger tagger(changed(before, after)); }, code, part);
}

} // namespace

AIANIME_TEST(mean_of_the_normalized_tokens_and_gelu_by_tanh) { check_network("mean_of_norm"); }
AIANIME_TEST(normalized_mean_of_the_tokens_and_exact_gelu) { check_network("norm_of_mean"); }

// Every way to a square: white beside it, above it, one pixel more on one side, nothing to do, one pixel, a strip.
AIANIME_TEST(pictures_are_prepared_as_in_python) {
    const VitTagger tagger(io::Json::load(golden("mean_of_norm/config.json")));
    const WeightSource source = WeightSource::from_file(golden("pictures.safetensors"));
    for (int i = 0; i < 6; ++i) {
        const std::string n = std::to_string(i);
        const at::Tensor picture = source.tensor("picture" + n, at::kFloat, at::kCPU) / 255;
        const at::Tensor difference = tagger.preprocess(picture) - source.tensor("pixels" + n, at::kFloat, at::kCPU);
        // One code value is 0.0079; hardly any may be off.
        ck_assert_double_lt(difference.abs().max().item<double>(), 0.0079);
        ck_assert_double_lt(difference.abs().mean().item<double>(), 1e-4);
    }
}

AIANIME_TEST(names_and_shapes_of_the_published_taggers) {
    const TempFolder folder;
    for (const auto &[name, parameters] :
         std::vector<std::pair<std::string, int64_t>>{{"wd-vit-tagger-v3", 94600813}, {"wd-vit-large-tagger-v3", 315034221}}) {
        write_hollow(folder.path("model.safetensors"), read_tensor_list("vit_tagger/full_" + name));
        const WeightSource source = WeightSource::from_file(folder.path("model.safetensors"));
        for (const io::Json &each : {io::Json::load(golden("full_" + name + ".json")), VitTagger::config_of(source)}) {
            VitTagger tagger(each);
            tagger.check(source);
            ck_assert_int_eq(tagger.module().parameter_count(), parameters);
            ck_assert_int_eq(tagger.classes(), 10861);
            ck_assert_int_eq(tagger.image_size(), 448);
        }
        const io::Json read_off = VitTagger::config_of(source).at("model_args");
        ck_assert_int_eq(read_off.at("num_heads").integer(1, 100), name == "wd-vit-tagger-v3" ? 12 : 16);
        ck_assert_str_eq(read_off.at("act_layer").string().c_str(), "gelu_tanh");
    }
}

AIANIME_TEST(a_file_without_configuration) {
    const TempFolder folder;
    std::vector<ListedTensor> tensors = read_tensor_list("vit_tagger/full_wd-vit-tagger-v3");
    for (ListedTensor &tensor : tensors)
        if (tensor.name.rfind("norm.", 0) == 0)
            tensor.stored = "fc_" + tensor.name;
    write_hollow(folder.path("model.safetensors"), tensors);
    const WeightSource source = WeightSource::from_file(folder.path("model.safetensors"));
    const io::Json read_off = VitTagger::config_of(source);
    ck_assert(read_off.at("model_args").at("fc_norm").boolean());
    VitTagger(read_off).check(source);
    expect_error([] { VitTagger::config_of(WeightSource::from_folder(golden("mean_of_norm"))); }, AIANIME_BAD_DATA,
                 "its config.json is missing, and a width of 24");
    expect_error([] { VitTagger::config_of(WeightSource::from_folder(tests_folder() + "/golden/clip_vision/exact")); },
                 AIANIME_BAD_DATA, "no tensor patch_embed.proj.weight");
}

AIANIME_TEST(other_architectures_are_refused_by_name) {
    for (const std::string name :
         {"swinv2_base_window8_256", "convnext_base", "eva02_large_patch14_448", "vit_base_patch16_clip_224",
          "vit_giant_patch14_224", "vit_base_patch16_gap_224", "vit_base_patch0_224", ""})
        expect_refused("vit_base_patch16_224", name, ("\"" + name + "\"").c_str());
}

AIANIME_TEST(settings_that_are_refused) {
    expect_refused("\"class_token\": false, ", "", "class_token");
    expect_refused("\"class_token\": false", "\"class_token\": true", "class_token");
    expect_refused("gelu_tanh", "silu", "act_layer");
    expect_refused("\"fc_norm\": false", "\"reg_tokens\": 4", "reg_tokens");
    expect_refused("\"fc_norm\": false", "\"init_values\": 1e-5", "init_values");
    expect_refused("\"fc_norm\": false", "\"num_heads\": 7", "num_heads");
    expect_refused("\"fc_norm\": false", "\"patch_size\": 15", "not a multiple");
    expect_refused("\"fc_norm\": false", "\"qkv_bias\": false", "qkv_bias");
    expect_refused("\"img_size\": 448", "\"img_size\": [448, 224]", "square");
    expect_refused("[3, 448, 448]", "[3, 224, 224]", "448x448");
    expect_refused("[0.5, 0.5, 0.5]", "[0.5]", "three numbers");
    expect_refused("bicubic", "bilinear", "interpolation");
    expect_refused("\"crop_pct\": 1.0", "\"crop_pct\": 0.9", "crop_pct");
    expect_refused("\"avg\"", "\"token\"", "global_pool");
    expect_refused("\"num_classes\": 9", "\"num_classes\": 0", "num_classes", AIANIME_OUT_OF_RANGE);
    expect_refused("\"num_classes\": 9,", "", "num_classes");
    VitTagger tagger(io::Json::load(golden("mean_of_norm/config.json")));
    expect_error([&] { tagger.load(WeightSource::from_folder(golden("norm_of_mean")), at::kFloat, at::kCPU); }, AIANIME_BAD_DATA,
                 "missing norm.bias, norm.weight");
    expect_error([&] { tagger.forward(at::zeros({1, 3, 32, 31})); }, AIANIME_INTERNAL, "[n, 3, 32, 32]");
}

int main() {
    return run_suite("vit_tagger",
                     {mean_of_the_normalized_tokens_and_gelu_by_tanh, normalized_mean_of_the_tokens_and_exact_gelu,
                      pictures_are_prepared_as_in_python, names_and_shapes_of_the_published_taggers, a_file_without_configuration,
                      other_architectures_are_refused_by_name, settings_that_are_refused});
}
