// SPDX-License-Identifier: LGPL-2.1-or-later
// What a template adds to a base model reaches the run: LoRAs, embeddings, motion modules, control pictures, image prompts, noise.
// The networks themselves are compared with their references elsewhere; the base is the small checkpoint of test_single_file.
#include "pipeline/denoiser.h"

#include "support.h"

#include <cmath>
#include <fstream>

#include "nn/aten.h"
#include "pipeline/generator.h"
#include "pipeline/noise_file.h"
#include "pipeline/settings.h"
#include "support_networks.h"
#include "support_pack.h"
#include "support_synthetic.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

// A model folder with the base and what the test puts beside it, and a template that names them.
class Studio {
public:
    Studio() { write_synthetic(folder_.path("models/base.safetensors"), read_tensor_list("single_file/version_1")); }

    std::string path(const std::string &name) const { return folder_.path("models/" + name); }

    Settings settings(const std::string &model, const std::string &groups = "") const {
        write_file(folder_.path("t.json"), R"({"schema": 1, "model": {"base": "base.safetensors")" + model + R"(},
            "sampling": {"steps": 2, "guidance": 1, "strength": 1, "seed": 3}, "coherence": {"attention": "self", "window": 4})" +
                                               groups + "}");
        aianime_settings given{};
        given.struct_size = sizeof(given);
        const std::string models = folder_.path("models"), look = folder_.path("t.json");
        given.models_path = models.c_str();
        given.template_path = look.c_str();
        std::vector<std::string> overrides;
        Settings settings = resolve_settings(given, overrides);
        settings.tokenizer = tests_folder() + "/../models/pocket/tokenizer";
        return settings;
    }

    // Latents of `frames` equal frames.
    at::Tensor run(const Settings &settings, int64_t frames = 1, const at::Tensor &noise = {}) const {
        const c10::InferenceMode inference;
        const Models models(settings, at::kFloat, at::kCPU);
        Watch watch(nullptr, nullptr, nullptr);
        Conditioning conditioning = encode_conditioning(models, settings, watch);
        const at::Tensor picture = synthetic_tensor("picture", {1, 3, 16, 24}).mul(0.5).add(0.5);
        if (models.identity())
            conditioning.images = {encode_image(models, settings, conditioning, picture)};
        std::vector<FrameRequest> requests;
        for (int64_t i = 0; i < frames; i++)
            requests.push_back({picture, i, noise});
        return denoise(models, settings, conditioning, requests, {requests.front()}, watch);
    }

private:
    TempFolder folder_;
};

void expect_change(const at::Tensor &a, const at::Tensor &b, const char *what) {
    ck_assert_msg(relative_error(a, b) > 1e-3, "%s changed nothing", what);
}

void write_lora(const std::string &path) {
    const std::string layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.";
    write_synthetic(path, {{layer + "lora_down.weight", "F32", {4, 32}, layer + "lora_down.weight"},
                           {layer + "lora_up.weight", "F32", {32, 4}, layer + "lora_up.weight"}});
}

} // namespace

AIANIME_TEST(loras_by_weight) {
    const Studio studio;
    write_lora(studio.path("style.safetensors"));
    const at::Tensor plain = studio.run(studio.settings(""));
    const auto with = [&](const std::string &weight) {
        return studio.run(studio.settings(R"(, "loras": [{"file": "style.safetensors", "weight": )" + weight + "}]"));
    };
    ck_assert(with("0").equal(plain));
    expect_change(with("1"), plain, "a LoRA");
    const at::Tensor twice =
        studio.run(studio.settings(R"(, "loras": [{"file": "style.safetensors"}, {"file": "style.safetensors", "weight": 0.5}])"));
    expect_close(twice, with("1.5"), 1e-5, "one LoRA twice");
    expect_error([&] { studio.settings(R"(, "loras": [{"file": "none.safetensors"}])"); }, AIANIME_NOT_FOUND, "none.safetensors");
}

AIANIME_TEST(embeddings_by_name_and_clip_skip) {
    const Studio studio;
    write_synthetic(studio.path("mood.safetensors"), {{"emb_params", "F32", {2, 64}, "emb_params"}});
    const std::string prompt = R"(, "prompt": {"positive": "a girl, mood, word")";
    const at::Tensor plain = studio.run(studio.settings("", prompt + "}"));
    const std::string list = R"(, "embeddings": [{"file": "mood.safetensors")";
    expect_change(studio.run(studio.settings(list + "}]", prompt + "}")), plain, "an embedding");
    ck_assert(studio.run(studio.settings(list + R"(, "name": "other"}])", prompt + "}")).equal(plain));
    expect_change(studio.run(studio.settings("", prompt + R"(, "clip_skip": 2})")), plain, "clip_skip");
    expect_error([&] { studio.run(studio.settings("", prompt + R"(, "clip_skip": 9})")); }, AIANIME_OUT_OF_RANGE, "clip_skip");
}

AIANIME_TEST(noise_from_a_file) {
    const Studio studio;
    const at::Tensor given = synthetic_tensor("noise", {4, 8, 12}).mul(30);
    const at::Tensor plain = studio.run(studio.settings("")), other = studio.run(studio.settings(""), 1, given);
    expect_change(other, plain, "the noise");
    write_synthetic(studio.path("noise.safetensors"), {{"noise", "F32", {2, 4, 8, 12}, "noise"}});
    NoiseFile file(studio.path("noise.safetensors"));
    const at::Tensor rows = synthetic_tensor("noise", {2, 4, 8, 12});
    ck_assert(file.frame(7, 4, 8, 12).equal(rows[0]));
    ck_assert(file.frame(9, 4, 8, 12).equal(rows[1]));
    ck_assert(file.frame(7, 4, 8, 12).equal(rows[0]));
    expect_error([&] { file.frame(11, 4, 8, 12); }, AIANIME_BAD_DATA, "noise.safetensors");
}

AIANIME_TEST(samplers_settings) {
    const Studio studio;
    const auto run = [&](const std::string &scheduler, const std::string &more) {
        Settings settings = studio.settings("");
        settings.scheduler = scheduler;
        if (more == "gamma")
            settings.style.gamma = 0.9;
        if (more == "trailing")
            settings.style.spacing = "trailing";
        if (more == "linear")
            settings.style.beta_schedule = "linear";
        return studio.run(settings);
    };
    expect_change(run("tcd", "gamma"), run("tcd", ""), "gamma");
    expect_change(run("ddim", "trailing"), run("ddim", ""), "spacing");
    expect_change(run("ddim", "linear"), run("ddim", ""), "beta_schedule");
}

// A vision tower of two layers, and a base adapter for the four cross-attention layers of the base: down, up, up, middle.
void write_ip_adapter(const std::string &tower, const std::string &adapter) {
    std::vector<ListedTensor> tensors;
    const auto add = [&](const std::string &name, const std::vector<int64_t> &shape) {
        tensors.push_back({name, "F32", shape, name});
    };
    const auto add_layer = [&](const std::string &name, const std::vector<int64_t> &shape) {
        add(name + ".weight", shape);
        add(name + ".bias", {shape.front()});
    };
    add("vision_model.embeddings.class_embedding", {64});
    add("vision_model.embeddings.patch_embedding.weight", {64, 3, 14, 14});
    add("vision_model.embeddings.position_embedding.weight", {17, 64});
    for (const char *norm : {"pre_layrnorm", "post_layernorm"})
        add_layer(std::string("vision_model.") + norm, {64});
    for (const std::string layer : {"vision_model.encoder.layers.0.", "vision_model.encoder.layers.1."}) {
        for (const char *projection : {"q_proj", "k_proj", "v_proj", "out_proj"})
            add_layer(layer + "self_attn." + projection, {64, 64});
        add_layer(layer + "layer_norm1", {64});
        add_layer(layer + "layer_norm2", {64});
        add_layer(layer + "mlp.fc1", {96, 64});
        add_layer(layer + "mlp.fc2", {64, 96});
    }
    add("visual_projection.weight", {48, 64});
    write_synthetic(tower, tensors);
    tensors.clear();
    add_layer("image_proj.proj", {4 * 64, 48});
    add_layer("image_proj.norm", {64});
    const int64_t widths[] = {32, 32, 32, 64};
    for (int i = 0; i < 4; i++)
        for (const char *side : {"k", "v"})
            add("ip_adapter." + std::to_string(2 * i + 1) + ".to_" + side + "_ip.weight", {widths[i], 64});
    write_synthetic(adapter, tensors);
}

AIANIME_TEST(image_prompts_by_scale) {
    const Studio studio;
    write_ip_adapter(studio.path("tower.safetensors"), studio.path("ip.safetensors"));
    const auto run = [&](const std::string &scale) {
        return studio.run(studio.settings(
            "", R"(, "identity": {"ip_adapter": "ip.safetensors", "image_encoder": "tower.safetensors")" + scale + "}"));
    };
    const at::Tensor plain = studio.run(studio.settings(""));
    expect_close(run(R"(, "scale": 0)"), plain, 1e-6, "scale 0");
    expect_change(run(""), plain, "an image prompt");
    expect_change(run(R"(, "up": 0)"), run(""), "the scale of the up blocks");
}

// Two people, one at the left and one at the right, with names and with texts of what they do.
AIANIME_TEST(people_have_their_own_words) {
    const Studio studio;
    const Settings settings = studio.settings("");
    const c10::InferenceMode inference;
    const Models models(settings, at::kFloat, at::kCPU);
    Watch watch(nullptr, nullptr, nullptr);
    const Conditioning text = encode_conditioning(models, settings, watch);
    const int64_t width = text.text.size(2);
    Conditioning people = text;
    people.people = 2;
    people.names = synthetic_tensor("names", {2, 3, width}).mul(8);
    people.names_weight = 2;
    people.texts = {synthetic_tensor("one", {4, width}).mul(8), synthetic_tensor("two", {2, width}).mul(8)};
    const at::Tensor left = at::tensor({1.0f, 1.0f, 0.5f, 0.0f, 0.0f, 0.0f}).repeat({4, 1});
    const auto run = [&](const Conditioning &conditioning, const at::Tensor &where, const std::vector<int64_t> &texts) {
        FrameRequest request{synthetic_tensor("picture", {1, 3, 16, 24}).mul(0.5).add(0.5), 0, {}};
        const int64_t factor = models.vae().stride();
        if (where.defined())
            request.people = at::upsample_nearest2d(where.unsqueeze(0), {16 / factor, 24 / factor}).squeeze(0);
        request.texts = texts;
        return denoise(models, settings, conditioning, {request}, {request}, watch);
    };
    const at::Tensor where = at::stack({left, left.flip(1)}), nobody = run(people, {}, {});
    expect_close(nobody, run(text, {}, {}), 1e-6, "nobody is seen");
    expect_close(run(people, at::zeros_like(where), {0, 1}), nobody, 1e-5, "nobody is anywhere");
    const at::Tensor named = run(people, where, {-1, -1}), both = run(people, where, {0, 1});
    expect_change(named, nobody, "names");
    expect_change(both, named, "texts");
    expect_change(run(people, where, {1, 0}), both, "the other one's text");
    expect_change(run(people, where, {0, -1}), both, "one text");
    Conditioning turned = people;
    turned.names = people.names.flip(0);
    expect_close(run(turned, where.flip(0), {1, 0}), both, 1e-4, "both in another order");
    expect_change(run(turned, where, {0, 1}), both, "names that were exchanged");
}

// A ControlNet for the frame itself takes any picture.
AIANIME_TEST(control_pictures_by_type) {
    const auto run = [](const std::string &controls) {
        const TempFolder folder;
        const GoldenPack pack;
        write_file(folder.path("t.json"), R"({"schema": 1, "sampling": {"steps": 1}, "controls": [)" + controls + "]}");
        const Settings settings = pack.settings(folder.path("t.json"));
        const c10::InferenceMode inference;
        const Models networks(settings, at::kFloat, at::kCPU);
        Watch watch(nullptr, nullptr, nullptr);
        const FrameRequest frame{synthetic_tensor("picture", {1, 3, 64, 96}).mul(64).add(0.5), 0, {}};
        return denoise(networks, settings, encode_conditioning(networks, settings, watch), {frame}, {frame}, watch);
    };
    const std::string net = R"("model": "pocket/controlnet")";
    const at::Tensor source = run("{}");
    ck_assert(run("{" + net + "}").equal(source));
    for (const char *type : {"canny", "tile", "blur", "scribble", "color"})
        expect_change(run(R"({"type": ")" + std::string(type) + "\", " + net + "}"), source, type);
    expect_change(run("{}, {\"type\": \"canny\", \"scale\": 0.5, " + net + "}"), source, "a second control");
    expect_close(run("{}, {\"type\": \"canny\", \"scale\": 0, " + net + "}"), source, 1e-5, "scale 0");
    expect_error([&] { run(R"({"type": "lineart", )" + net + "}"); }, AIANIME_BAD_DATA, "need an annotator");
}

// A ControlNet for the frame before and the motion from it, 6 channels, on a base whose autoencoder reduces by 2.
AIANIME_TEST(temporal_control_sees_the_frame_before) {
    const Studio studio;
    std::vector<ListedTensor> tensors;
    for (ListedTensor tensor : read_tensor_list("single_file/controlnet")) {
        // A hint network of two levels: first convolution, a plain and a reducing one, last convolution.
        const std::string hint = "control_model.input_hint_block.";
        if (tensor.name == hint + "0.weight")
            tensor.shape[1] = 6;
        if (tensor.name.compare(0, hint.size(), hint) == 0) {
            const int number = std::stoi(tensor.name.substr(hint.size()));
            if (number > 4 && number != 14)
                continue;
            if (number == 14 && tensor.shape.size() == 4)
                tensor.shape[1] = 32;
        }
        tensors.push_back(tensor);
    }
    write_synthetic(studio.path("temporal.safetensors"), tensors);
    Settings settings = studio.settings("", R"(, "controls": [{"type": "temporal", "model": "temporal.safetensors"}])");
    const auto pictures = [&](int64_t frames) {
        const c10::InferenceMode inference;
        Watch watch(nullptr, nullptr, nullptr);
        Generator generator(settings, watch);
        ck_assert(generator.is_sequential());
        std::vector<SourcePicture> sources;
        for (int64_t i = 0; i < 3; i++) {
            cv::Mat picture(16, 24, CV_32FC3, cv::Scalar(0.2 * static_cast<double>(i), 0.5, 0.5));
            sources.push_back({picture, i});
        }
        std::vector<cv::Mat> made;
        for (int64_t i = 0; i < 3; i += frames) // in segments of `frames`
            for (const cv::Mat &picture : generator.run({sources.begin() + i, sources.begin() + i + frames}, {sources[0]}))
                made.push_back(picture);
        // The same frame as the begin of a shot of its own sees itself.
        made.push_back(generator.run({sources[1]}, {sources[1]}).front());
        return made;
    };
    const std::vector<cv::Mat> whole = pictures(3), pieces = pictures(1);
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq(cv::norm(whole[i], pieces[i], cv::NORM_INF), 0);
    ck_assert_double_gt(cv::norm(whole[1], whole[3], cv::NORM_INF), 1e-3);

    // Still pictures do not move; a network without training thinks that they do.
    write_synthetic(studio.path("raft.safetensors"), read_tensor_list("raft/small"));
    settings.flow_model = studio.path("raft.safetensors");
    settings.style.flow_updates = 1;
    const std::vector<cv::Mat> moved = pictures(3);
    ck_assert_double_eq(cv::norm(whole[0], moved[0], cv::NORM_INF), 0);
    ck_assert_double_gt(cv::norm(whole[1], moved[1], cv::NORM_INF), 1e-4);
}

AIANIME_TEST(a29_not_finite_weights_by_strictness) {
    const Studio studio;
    std::vector<ListedTensor> tensors = read_tensor_list("single_file/version_1");
    write_synthetic(studio.path("base.safetensors"), tensors);
    // The first value of the file's data is made infinite in place.
    std::fstream file(studio.path("base.safetensors"), std::ios::in | std::ios::out | std::ios::binary);
    uint64_t header = 0;
    file.read(reinterpret_cast<char *>(&header), sizeof header);
    const float infinity = INFINITY;
    file.seekp(static_cast<std::streamoff>(sizeof header + header));
    file.write(reinterpret_cast<const char *>(&infinity), sizeof infinity);
    file.close();
    const Models models(studio.settings(""), at::kFloat, at::kCPU);
    ck_assert_int_eq(static_cast<int>(models.warnings().size()), 1);
    ck_assert(models.warnings().front().find("embeddings.position_embedding.weight") != std::string::npos);
    expect_error([&] { Models(studio.settings(R"(, "strict": true)"), at::kFloat, at::kCPU); }, AIANIME_BAD_DATA, "not finite");
}

AIANIME_TEST(what_is_needed_beside_is_asked_for) {
    const Studio studio;
    expect_error([&] { studio.settings("", R"(, "identity": {"ip_adapter": "base.safetensors"})"); }, AIANIME_BAD_DATA,
                 "image_encoder");
    expect_error([&] { studio.run(studio.settings(R"(, "motion": "base.safetensors")")); }, AIANIME_BAD_DATA, "base.safetensors");
    expect_error([&] { studio.run(studio.settings("", R"(, "controls": [{"type": "canny", "model": "base.safetensors"}])")); },
                 AIANIME_BAD_DATA, "no ControlNet");
}

int main() {
    return run_suite("additions", {loras_by_weight, embeddings_by_name_and_clip_skip, noise_from_a_file, samplers_settings,
                                   image_prompts_by_scale, people_have_their_own_words, control_pictures_by_type,
                                   temporal_control_sees_the_frame_before, a29_not_finite_weights_by_strictness,
                                   what_is_needed_beside_is_asked_for});
}
