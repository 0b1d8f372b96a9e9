// SPDX-License-Identifier: LGPL-2.1-or-later
// Annotators against controlnet_aux: the networks alone, and the pictures that its detectors make; see golden/make_annotators.py.
#include "nn/annotators/depth.h"
#include "nn/annotators/lineart.h"
#include "nn/annotators/lineart_anime.h"
#include "nn/annotators/softedge.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"

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

AIANIME_TEST(depth) {
    const c10::InferenceMode guard;
    const nn::WeightSource source = weights("depth");
    nn::DepthHybrid network(source, {8, 2});
    nn::load(network, source, at::kFloat, at::kCPU, [&](const std::string &name) { return network.ignores(name); });
    const at::Tensor out = network.forward(golden("depth", "x")).squeeze(1);
    expect_close(out.slice(1, 0, 96, 2).slice(2, 0, 64, 2), golden("depth", "out"), 1e-4, "depth");
    expect_picture(network.annotate(frame("depth")), "depth", 1.01);
}

AIANIME_TEST(files_are_told_by_keys) {
    for (const char *type : {"lineart", "lineart_anime", "softedge", "depth"})
        ck_assert_str_eq(nn::annotator_type(weights(type)).c_str(), type);
    ck_assert_str_eq(nn::annotator_type(weights("lineart_io")).c_str(), "");
    expect_error([] { nn::load_annotator("lineart", weights("softedge"), at::kCPU); }, AIANIME_BAD_DATA,
                 "has the network of type \"softedge\" (ControlNetHED); type \"lineart\" wants sk_model or sk_model2");
    expect_error([] { nn::load_annotator("softedge", weights("lineart_io"), at::kCPU); }, AIANIME_BAD_DATA,
                 "is no annotator that is known here; type \"softedge\" wants ControlNetHED");
    expect_error([] { nn::load_annotator("canny", weights("softedge"), at::kCPU); }, AIANIME_INTERNAL, "no type of annotator");
}

int main() { return run_suite("annotators", {lineart, lineart_anime, softedge, depth, files_are_told_by_keys}); }
