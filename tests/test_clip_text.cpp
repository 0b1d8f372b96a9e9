// SPDX-License-Identifier: LGPL-2.1-or-later
// CLIP's text encoder against transformers (tests/golden/make_clip.py).
#include "io/json.h"
#include "nn/aten.h"
#include "nn/clip_text.h"
#include "nn/module.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;
using nn::ClipText;
using nn::WeightSource;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/clip/" + name; }

void expect_close(const at::Tensor &found, const at::Tensor &wanted, const char *what) {
    const double error = ((found - wanted).norm() / wanted.norm()).item<double>();
    ck_assert_msg(error < 1e-5, "%s is off by %g", what, error);
}

void check_model(const std::string &name) {
    ClipText encoder(io::Json::load(golden(name) + "/config.json"));
    encoder.load(WeightSource::from_folder(golden(name)), at::kFloat, at::kCPU);
    const WeightSource io = WeightSource::from_file(golden(name) + "/io.safetensors");
    const at::Tensor ids = io.tensor("ids", at::kLong, at::kCPU);
    ck_assert_int_eq(encoder.width(), 16);
    ck_assert_int_eq(encoder.max_tokens(), 20);
    expect_close(encoder.forward(ids), io.tensor("full", at::kFloat, at::kCPU), "all tokens");
    expect_close(encoder.forward(ids.slice(1, 0, 7)), io.tensor("part", at::kFloat, at::kCPU), "seven tokens");
    expect_close(encoder.forward(ids, 2), io.tensor("skip2", at::kFloat, at::kCPU), "the layer before the last");
}

ClipText *make(const char *config) { return new ClipText(io::Json::parse(config, "config.json")); }

} // namespace

AIANIME_TEST(quick_gelu_without_prefix) { check_model("quick"); }
AIANIME_TEST(exact_gelu_with_prefix_and_extras) { check_model("exact"); }

AIANIME_TEST(the_pocket_pack_loads) {
    const std::string folder = tests_folder() + "/../models/pocket/text_encoder";
    ClipText encoder(io::Json::load(folder + "/config.json"));
    encoder.load(WeightSource::from_folder(folder), at::kFloat, at::kCPU);
    const at::Tensor out = encoder.forward(at::full({1, encoder.max_tokens()}, 49407, at::kLong));
    ck_assert(at::isfinite(out).all().item<bool>());
    ck_assert_int_eq(out.size(2), encoder.width());
}

AIANIME_TEST(too_many_tokens_and_unknown_tokens) {
    ClipText encoder(io::Json::load(golden("quick") + "/config.json"));
    encoder.load(WeightSource::from_folder(golden("quick")), at::kFloat, at::kCPU);
    expect_error([&] { return encoder.forward(at::zeros({1, 21}, at::kLong)); }, AIANIME_INVALID, "at most 20");
    expect_error([&] { return encoder.forward(at::full({1, 2}, 60, at::kLong)); }, AIANIME_BAD_DATA, "token 60");
    expect_error([&] { return encoder.forward(at::zeros({1, 2}, at::kLong), 3); }, AIANIME_OUT_OF_RANGE, "2 layers");
}

AIANIME_TEST(bad_configurations) {
    expect_error([] { return make(R"({"hidden_act": "silu"})"); }, AIANIME_BAD_DATA, "hidden_act");
    expect_error([] { return make(R"({"hidden_size": 10, "num_attention_heads": 3})"); }, AIANIME_BAD_DATA, "num_attention_heads");
    expect_error([] { return make(R"({"model_type": "t5"})"); }, AIANIME_BAD_DATA, "model_type");
    expect_error([] { return make(R"({"num_hidden_layers": 0})"); }, AIANIME_OUT_OF_RANGE, "num_hidden_layers");
}

AIANIME_TEST(weights_of_another_network) {
    ClipText encoder(io::Json::load(golden("quick") + "/config.json"));
    expect_error([&] { encoder.load(WeightSource::from_folder(golden("exact")), at::kFloat, at::kCPU); }, AIANIME_BAD_DATA,
                 "unexpected");
}

int main() {
    return run_suite("clip_text", {quick_gelu_without_prefix, exact_gelu_with_prefix_and_extras, the_pocket_pack_loads,
                                   too_many_tokens_and_unknown_tokens, bad_configurations, weights_of_another_network});
}
