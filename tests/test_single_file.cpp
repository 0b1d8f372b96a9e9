// SPDX-License-Identifier: LGPL-2.1-or-later
// Checkpoints in one file against diffusers' and transformers' results after their own conversion
// (tests/golden/make_single_file.py).
#include "nn/single_file.h"

#include "support.h"

#include "nn/aten.h"
#include "nn/autoencoder.h"
#include "nn/clip_text.h"
#include "nn/module.h"
#include "nn/unet.h"
#include "pipeline/components.h"
#include "pipeline/denoiser.h"
#include "pipeline/settings.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::Component;
using nn::SingleFile;

namespace {

constexpr double limit = 1e-4;

const char *first_stage = "first_stage_model.";

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

at::Tensor stored(const std::string &golden, const std::string &name) {
    return nn::WeightSource::from_file(tests_folder() + "/golden/single_file/" + golden + ".safetensors")
        .tensor(name, at::kFloat, at::kCPU);
}

std::unique_ptr<nn::UNet> load_unet(const Component &component) {
    auto unet = std::make_unique<nn::UNet>(nn::UNetConfig::from_json(component.config));
    nn::load(unet->module(), component.source, at::kFloat, at::kCPU);
    return unet;
}

std::unique_ptr<nn::Autoencoder> load_vae(const Component &component) {
    auto vae = nn::Autoencoder::create(component.config);
    nn::load(vae->module(), component.source, at::kFloat, at::kCPU);
    return vae;
}

void expect_vae(const std::string &path, const std::string &golden) {
    const auto vae = load_vae(pipeline::component(path, pipeline::Part::vae));
    expect_close(vae->encode(stored(golden, "picture")), stored(golden, "encoded"), limit, path + " encode");
    expect_close(vae->decode(stored(golden, "latent")), stored(golden, "decoded"), limit, path + " decode");
}

void expect_text(const Component &component, const std::string &golden) {
    nn::ClipText text(component.config);
    text.load(component.source, at::kFloat, at::kCPU);
    expect_close(text.forward(stored(golden, "ids").to(at::kLong)), stored(golden, "text"), limit, "text encoder");
}

// Every network of a checkpoint.
void expect_checkpoint(const std::string &path, const std::string &golden) {
    const c10::InferenceMode inference;
    const auto unet = load_unet(*SingleFile(path).unet());
    expect_close(unet->forward(stored(golden, "x"), 501, stored(golden, "hidden"), nullptr, nullptr), stored(golden, "unet"), limit,
                 path + " U-Net");
    expect_vae(path, golden);
    expect_text(*SingleFile(path).text_encoder(), golden);
    ck_assert(!SingleFile(path).controlnet());
}

std::vector<ListedTensor> with_dtype(std::vector<ListedTensor> tensors, const std::vector<std::string> &dtypes) {
    for (size_t i = 0; i < tensors.size(); i++)
        tensors[i].dtype = dtypes[i % dtypes.size()];
    return tensors;
}

// Those whose name begins with `before`, which becomes `after`.
std::vector<ListedTensor> part(const std::string &list, const std::string &before, const std::string &after) {
    std::vector<ListedTensor> found;
    for (ListedTensor tensor : read_tensor_list(list))
        if (starts_with(tensor.name, before)) {
            tensor.stored = after + tensor.name.substr(before.size());
            found.push_back(tensor);
        }
    return found;
}

std::string temp_checkpoint(const TempFolder &folder, const std::vector<ListedTensor> &tensors) {
    write_synthetic(folder.path("x.safetensors"), tensors);
    return folder.path("x.safetensors");
}

} // namespace

AIANIME_TEST(version_1_in_every_precision) {
    const std::vector<std::vector<std::string>> dtypes = {{"F32"}, {"F16"}, {"BF16"}, {"F16", "F32", "BF16"}};
    for (const auto &choice : dtypes) {
        const TempFolder folder;
        expect_checkpoint(temp_checkpoint(folder, with_dtype(read_tensor_list("single_file/version_1"), choice)), "version_1");
    }
}

AIANIME_TEST(averaged_copies_and_training_leftovers_are_skipped) {
    std::vector<ListedTensor> tensors = read_tensor_list("single_file/version_1");
    for (const char *name :
         {"model_ema.diffusion_modelinput_blocks00weight", "model_ema.decay", "alphas_cumprod", "betas", "lvlb_weights"})
        tensors.push_back({name, "F32", {4}, name});
    tensors.push_back({"cond_stage_model.transformer.text_model.embeddings.position_ids",
                       "I64",
                       {1, 77},
                       "cond_stage_model.transformer.text_model.embeddings.position_ids"});
    const TempFolder folder;
    expect_checkpoint(temp_checkpoint(folder, tensors), "version_1");
}

AIANIME_TEST(text_encoder_without_text_model_in_its_names) {
    std::vector<ListedTensor> tensors = read_tensor_list("single_file/version_1");
    const std::string before = "cond_stage_model.transformer.text_model.", after = "cond_stage_model.transformer.";
    for (ListedTensor &tensor : tensors)
        if (starts_with(tensor.name, before))
            tensor.stored = after + tensor.name.substr(before.size());
    const TempFolder folder;
    expect_checkpoint(temp_checkpoint(folder, tensors), "version_1");
}

AIANIME_TEST(version_2_with_open_clip) {
    const TempFolder folder;
    const std::string path = temp_checkpoint(folder, read_tensor_list("single_file/version_2"));
    expect_checkpoint(path, "version_2");
    ck_assert(SingleFile(path).is_version_2());
}

AIANIME_TEST(autoencoder_alone_bare_and_prefixed) {
    const TempFolder folder;
    std::vector<ListedTensor> bare = part("single_file/version_1", first_stage, "");
    bare.push_back({"loss.discriminator.main.0.weight", "F32", {4, 3, 4, 4}, "loss.discriminator.main.0.weight"});
    bare.push_back({"model_ema.decay", "F32", {}, "model_ema.decay"});
    expect_vae(temp_checkpoint(folder, bare), "version_1");
    expect_vae(temp_checkpoint(folder, part("single_file/version_1", first_stage, first_stage)), "version_1");
}

AIANIME_TEST(controlnet_with_original_names) {
    const c10::InferenceMode inference;
    for (const char *prefix : {"control_model.", ""}) {
        const TempFolder folder;
        const std::string path = temp_checkpoint(folder, part("single_file/controlnet", "control_model.", prefix));
        const Component component = pipeline::component(path, pipeline::Part::controlnet);
        nn::ControlNet control(nn::UNetConfig::from_json(component.config));
        nn::load(control.module(), component.source, at::kFloat, at::kCPU);
        const auto value = [](const std::string &name) { return stored("controlnet", name); };
        const nn::ControlResiduals found =
            control.forward(value("x"), 501, value("hidden"), control.embed_hint(value("hint")), nullptr);
        for (size_t i = 0; i < found.down.size(); i++)
            expect_close(found.down[i], value("down." + std::to_string(i)), limit, "residual " + std::to_string(i));
        expect_close(found.mid, value("mid"), limit, "middle residual");
    }
}

AIANIME_TEST(taesd_as_two_files_and_as_one) {
    const c10::InferenceMode inference;
    const TempFolder folder;
    const auto encoder = read_tensor_list("single_file/taesd_encoder"), decoder = read_tensor_list("single_file/taesd_decoder");
    write_synthetic(folder.path("taesd_encoder.safetensors"), encoder);
    expect_error([&] { SingleFile(folder.path("taesd_encoder.safetensors")); }, AIANIME_NOT_FOUND, "decoder must lie beside it");
    write_synthetic(folder.path("taesd_decoder.safetensors"), decoder);
    expect_vae(folder.path("taesd_encoder.safetensors"), "taesd_decoder");
    expect_vae(folder.path("taesd_decoder.safetensors"), "taesd_decoder");

    std::vector<ListedTensor> both;
    for (const auto &[list, prefix] : {std::pair(encoder, "encoder."), std::pair(decoder, "decoder.")})
        for (ListedTensor tensor : list) {
            tensor.stored = prefix + tensor.name;
            both.push_back(tensor);
        }
    expect_vae(temp_checkpoint(folder, both), "taesd_decoder");
}

AIANIME_TEST(a_whole_sampling_as_diffusers_does_it) {
    const c10::InferenceMode inference;
    const TempFolder folder;
    pipeline::Settings settings;
    settings.pack.file = temp_checkpoint(folder, read_tensor_list("single_file/version_1"));
    settings.tokenizer = tests_folder() + "/../models/pocket/tokenizer";
    settings.style.positive = "a girl in the rain";
    settings.style.seed = 11;
    settings.style.attention = nn::AttentionMode::self;
    settings.steps = 4;
    settings.guidance = 3;
    settings.strength = 1;
    const pipeline::Models models(settings, at::kFloat, at::kCPU);
    pipeline::Watch watch(nullptr, nullptr, nullptr);
    const pipeline::FrameRequest frame{at::zeros({1, 3, 16, 24}), 0, {}};
    const at::Tensor latents =
        pipeline::denoise(models, settings, pipeline::encode_conditioning(models, settings, watch), {frame}, {frame}, watch);
    expect_close(latents, stored("version_1", "sampled"), 1e-3, "sampled latent");
}

AIANIME_TEST(names_and_shapes_of_the_real_files) {
    const TempFolder folder;
    const auto position_ids = [](const std::string &name) { return name.find("position_ids") != std::string::npos; };
    for (const char *list : {"full_sd15", "full_sd21"}) {
        write_hollow(folder.path("full.safetensors"), read_tensor_list(std::string("single_file/") + list));
        const SingleFile file(folder.path("full.safetensors"));
        const bool first = std::string(list) == "full_sd15";
        nn::UNet unet(nn::UNetConfig::from_json(file.unet()->config));
        nn::check_names(unet.module(), file.unet()->source);
        ck_assert_int_eq(unet.module().parameter_count(), first ? 859520964 : 865910724);
        const auto vae = nn::Autoencoder::create(file.vae()->config);
        nn::check_names(vae->module(), file.vae()->source);
        ck_assert_int_eq(vae->module().parameter_count(), 83653863);
        nn::ClipText text(file.text_encoder()->config);
        nn::check_names(text.module(), file.text_encoder()->source, position_ids);
        ck_assert_int_eq(text.module().parameter_count(), first ? 123060480 : 340387840);
    }
    write_hollow(folder.path("full.safetensors"), read_tensor_list("single_file/full_controlnet"));
    const auto found = SingleFile(folder.path("full.safetensors")).controlnet();
    nn::ControlNet control(nn::UNetConfig::from_json(found->config));
    nn::check_names(control.module(), found->source);
    ck_assert_int_eq(control.module().parameter_count(), 361279120);
}

AIANIME_TEST(what_does_not_load_says_why) {
    const TempFolder folder;
    const auto listed = [](const char *name) { return ListedTensor{name, "F16", {2, 2}, name}; };
    const std::string xl =
        temp_checkpoint(folder, {listed("conditioner.embedders.0.transformer.text_model.final_layer_norm.weight")});
    expect_error([&] { SingleFile file(xl); }, AIANIME_BAD_DATA, "Stable Diffusion XL file; supported are");
    const std::string flux = temp_checkpoint(folder, {listed("model.diffusion_model.double_blocks.0.img_attn.qkv.weight")});
    expect_error([&] { SingleFile file(flux); }, AIANIME_BAD_DATA, "Flux");

    std::vector<ListedTensor> tensors = read_tensor_list("single_file/version_1");
    const auto has = [](const char *piece) {
        return [piece](const ListedTensor &tensor) { return tensor.name.find(piece) != std::string::npos; };
    };
    std::vector<ListedTensor> cut = tensors;
    cut.erase(std::remove_if(cut.begin(), cut.end(), has("middle_block.0.in_layers.2.bias")), cut.end());
    const std::string incomplete = temp_checkpoint(folder, cut);
    expect_error([&] { load_unet(*SingleFile(incomplete).unet()); }, AIANIME_BAD_DATA, "missing mid_block.resnets.0.conv1.bias");

    tensors.push_back(listed("model.diffusion_model.extra.weight"));
    const std::string more = temp_checkpoint(folder, tensors);
    expect_error([&] { load_unet(*SingleFile(more).unet()); }, AIANIME_BAD_DATA, "unexpected extra.weight");
    expect_error([&] { pipeline::component(more, pipeline::Part::controlnet); }, AIANIME_BAD_DATA, "there is no ControlNet");
}

int main() {
    return run_suite("single_file",
                     {version_1_in_every_precision, averaged_copies_and_training_leftovers_are_skipped,
                      text_encoder_without_text_model_in_its_names, version_2_with_open_clip, autoencoder_alone_bare_and_prefixed,
                      controlnet_with_original_names, taesd_as_two_files_and_as_one, a_whole_sampling_as_diffusers_does_it,
                      names_and_shapes_of_the_real_files, what_does_not_load_says_why});
}
