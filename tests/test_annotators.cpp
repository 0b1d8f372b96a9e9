// SPDX-License-Identifier: LGPL-2.1-or-later
// Annotators against controlnet_aux: the networks alone, and the pictures that its detectors make; see golden/make_annotators.py.
#include "nn/annotators/body_pose.h"
#include "nn/annotators/depth.h"
#include "nn/annotators/dpt_names.h"
#include "nn/annotators/lineart.h"
#include "nn/annotators/lineart_anime.h"
#include "nn/annotators/softedge.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;

namespace {

nn::WeightSource weights(const std::string &name) {
    return nn::WeightSource::from_file(tests_folder() + "/golden/annotators/" + name + ".safetensors");
}

at::Tensor golden(const std::string &name, const std::string &tensor) {
    return weights(name + "_io").tensor(tensor, at::kFloat, at::kCPU);
}

// The stored 8-bit frame as the networks get it.
at::Tensor frame(const std::string &name) { return (golden(name, "frame") / 255).permute({2, 0, 1}).unsqueeze(0); }

template <typename Network>
const Network &as(const std::unique_ptr<nn::Annotator> &annotator) {
    return dynamic_cast<const Network &>(*annotator);
}

std::unique_ptr<nn::Annotator> load(const std::string &name) { return nn::load_annotator(name, weights(name), at::kCPU); }

// The reference rounds pictures down to code values.
void expect_picture(const at::Tensor &found, const std::string &name, double codes) {
    const at::Tensor difference = found[0][0].clamp(0, 1) * 255 - golden(name, "picture");
    ck_assert_msg(difference.abs().max().item<double>() <= codes, "%s: differs by %g code values", name.c_str(),
                  difference.abs().max().item<double>());
}

} // namespace

AIANIME_TEST(lineart) {
    const c10::InferenceMode guard;
    const auto annotator = load("lineart");
    expect_close(as<nn::LineartGenerator>(annotator).forward(golden("lineart", "x")), golden("lineart", "out"), 1e-4, "lineart");
    expect_picture(annotator->annotate(frame("lineart")), "lineart", 1.001);
}

AIANIME_TEST(lineart_anime) {
    const c10::InferenceMode guard;
    const auto annotator = load("lineart_anime");
    ck_assert_int_eq(annotator->stride(), 256);
    const at::Tensor x = golden("lineart_anime", "x").repeat({1, 1, 4, 4}) + at::linspace(-1, 1, 256);
    const at::Tensor out = as<nn::LineartAnimeGenerator>(annotator).forward(x);
    expect_close(out.slice(2, 0, 256, 4).slice(3, 0, 256, 4), golden("lineart_anime", "out"), 1e-4, "lineart_anime");
    const at::Tensor large = frame("lineart_anime").repeat_interleave(4, 2).repeat_interleave(4, 3);
    expect_picture(annotator->annotate(large).slice(2, 0, 256, 4).slice(3, 0, 256, 4), "lineart_anime", 1.001);
}

AIANIME_TEST(softedge) {
    const c10::InferenceMode guard;
    const auto annotator = load("softedge");
    const std::vector<at::Tensor> maps = as<nn::SoftEdge>(annotator).forward(golden("softedge", "x"));
    ck_assert_uint_eq(maps.size(), 5);
    for (size_t i = 0; i < maps.size(); i++) {
        const std::string name = "map" + std::to_string(i);
        expect_close(maps[i], golden("softedge", name), 1e-4, name);
    }
    expect_picture(annotator->annotate(frame("softedge")), "softedge", 1.001);
}

namespace {

// The small network has narrower heads and fewer groups than the published one, which shapes do not tell.
std::unique_ptr<nn::DepthHybrid> load_depth(const nn::WeightSource &source, const nn::Patch &patch = nullptr) {
    const nn::WeightSource named = nn::dpt_names(source);
    auto network = std::make_unique<nn::DepthHybrid>(named, nn::HybridTraits{8, 2});
    const auto ignored = [&](const std::string &name) { return network->ignores(name); };
    nn::load(*network, named, at::kFloat, at::kCPU, ignored, patch);
    return network;
}

void expect_depth(const nn::DepthHybrid &network, const std::string &name, int64_t rows) {
    const at::Tensor out = network.forward(golden("depth", "x").slice(2, 0, rows)).squeeze(1);
    expect_close(out.slice(1, 0, rows, 2).slice(2, 0, 64, 2), golden(name, "out"), 1e-4, name);
}

} // namespace

AIANIME_TEST(depth) {
    const c10::InferenceMode guard;
    const auto network = load_depth(weights("depth"));
    expect_depth(*network, "depth", 96);
    expect_picture(network->annotate(frame("depth")), "depth", 1.01);
}

AIANIME_TEST(depth_as_transformers_names_it) {
    const c10::InferenceMode guard;
    const TempFolder folder;
    write_synthetic(folder.path("depth.safetensors"), read_tensor_list("annotators/depth_transformers"));
    const nn::Patch positive = [](const std::string &name, const at::Tensor &weight) {
        return name == "scratch.output_conv.4.weight" ? weight.abs() : weight;
    };
    const nn::WeightSource source = nn::WeightSource::from_file(folder.path("depth.safetensors"));
    expect_depth(*load_depth(source, positive), "depth_transformers", 64);
}

AIANIME_TEST(body_pose) {
    const c10::InferenceMode guard;
    const TempFolder folder;
    std::vector<ListedTensor> tensors = read_tensor_list("annotators/openpose");
    tensors[0].stored = "model0." + tensors[0].name; // as some converted files have it
    write_synthetic(folder.path("pose.safetensors"), tensors);
    const nn::WeightSource source = nn::WeightSource::from_file(folder.path("pose.safetensors"));
    ck_assert_str_eq(nn::annotator_type(source).c_str(), "openpose");
    ck_assert_ptr_nonnull(nn::load_body_pose(source, at::kCPU).get());

    const nn::WeightSource plain = nn::body_pose_names(source);
    nn::BodyPose network(plain);
    nn::load(network, plain, at::kFloat, at::kCPU, nullptr,
             [](const std::string &, const at::Tensor &weight) { return weight.dim() == 4 ? weight * 2 : weight; });
    const nn::BodyPose::Maps maps = network.forward(golden("openpose", "x"));
    expect_close(maps.affinity, golden("openpose", "affinity"), 1e-4, "affinity");
    expect_close(maps.heat, golden("openpose", "heat"), 1e-4, "heat");
}

// Names and shapes of the files that people have, as the published definitions give them.
AIANIME_TEST(names_and_shapes_of_the_real_files) {
    const TempFolder folder;
    for (const auto &[type, parameters] : {std::pair<const char *, int64_t>{"lineart", 4290945},
                                           {"lineart_anime", 54405505},
                                           {"softedge", 14716168},
                                           {"depth", 121196289},
                                           {"depth_transformers", 121196289},
                                           {"openpose", 52311446}}) {
        write_hollow(folder.path("full.safetensors"), read_tensor_list(std::string("annotators/full_") + type));
        const nn::WeightSource source = nn::WeightSource::from_file(folder.path("full.safetensors"));
        ck_assert_int_eq(std::string(type).rfind(nn::annotator_type(source), 0), 0);
        ck_assert_int_eq(nn::check_annotator(source), parameters);
    }
}

// What is missing, too much or of another shape is named; nothing is read before.
AIANIME_TEST(broken_files) {
    const TempFolder folder;
    const std::string path = folder.path("broken.safetensors");
    const auto refuse = [&](const char *type, const char *text) {
        expect_error([&] { nn::check_annotator(nn::WeightSource::from_file(path)); }, AIANIME_BAD_DATA, text);
        expect_error([&] { nn::load_annotator(type, nn::WeightSource::from_file(path), at::kCPU); }, AIANIME_BAD_DATA, text);
    };
    std::vector<ListedTensor> tensors = read_tensor_list("annotators/full_lineart");
    const auto find = [&](const char *name) {
        return std::find_if(tensors.begin(), tensors.end(), [&](const ListedTensor &tensor) { return tensor.name == name; });
    };
    const std::vector<ListedTensor> whole = tensors;
    tensors.erase(find("model1.3.bias"));
    write_hollow(path, tensors);
    refuse("lineart", "missing model1.3.bias");
    tensors = whole;
    find("model1.3.weight")->shape = {256};
    write_hollow(path, tensors);
    refuse("lineart", "wrong shape model1.3.weight [256] instead of [256,128,3,3]");
    tensors = whole;
    find("model1.3.weight")->shape = {256, 64, 3, 3};
    write_hollow(path, tensors);
    refuse("lineart", "wrong shape model1.3.weight [256,64,3,3] instead of [256,128,3,3]");
    tensors = whole;
    find("model1.3.weight")->shape = {};
    write_hollow(path, tensors);
    refuse("lineart", "there is no tensor model1.3.weight");
    tensors = whole;
    tensors.push_back({"model9.weight", "F32", {2}});
    write_hollow(path, tensors);
    refuse("lineart", "unexpected model9.weight");
}

AIANIME_TEST(files_are_told_by_keys) {
    for (const char *type : {"lineart", "lineart_anime", "softedge", "depth"})
        ck_assert_str_eq(nn::annotator_type(weights(type)).c_str(), type);
    ck_assert_str_eq(nn::annotator_type(weights("lineart_io")).c_str(), "");
    expect_error([] { nn::load_annotator("lineart", weights("softedge"), at::kCPU); }, AIANIME_BAD_DATA,
                 "has the network of type \"softedge\" (ControlNetHED); type \"lineart\" wants sk_model or sk_model2");
    expect_error([] { nn::load_annotator("softedge", weights("lineart_io"), at::kCPU); }, AIANIME_BAD_DATA,
                 "is no annotator that is known here; type \"softedge\" wants ControlNetHED");
    const TempFolder folder;
    for (const auto &[name, text] : {std::pair{"model6.Mconv7_stage6.weight", "is hand_pose_model or facenet, which is not"},
                                     {"module.block1_1.conv1.weight", "is table5_pidinet"},
                                     {"core.core.pretrained.model.cls_token", "is ZoeD_M12_N"}}) {
        write_hollow(folder.path("other.safetensors"), {{name, "F32", {4}}});
        const nn::WeightSource source = nn::WeightSource::from_file(folder.path("other.safetensors"));
        expect_error([&] { nn::expect_annotator("depth", source); }, AIANIME_BAD_DATA, text);
        expect_error([&] { nn::check_annotator(source); }, AIANIME_BAD_DATA, text);
    }
    expect_error([] { nn::load_annotator("canny", weights("softedge"), at::kCPU); }, AIANIME_INTERNAL, "no type of annotator");
}

int main() {
    return run_suite("annotators", {lineart, lineart_anime, softedge, depth, depth_as_transformers_names_it, body_pose,
                                    names_and_shapes_of_the_real_files, broken_files, files_are_told_by_keys});
}
