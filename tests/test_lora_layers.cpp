// SPDX-License-Identifier: LGPL-2.1-or-later
// A LoRA in training against PyTorch's autograd on diffusers' networks, and its file against our reader of LoRA files
// (tests/golden/make_lora_layers.py).
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include <ATen/core/grad_mode.h>

#include "io/safetensors.h"
#include "nn/aten.h"
#include "nn/clip_text.h"
#include "nn/lora.h"
#include "nn/unet.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "train/lora_layers.h"
#include "train/state_file.h"

using namespace aianime;
using train::LoraLayers;
using train::LoraPart;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/" + name; }

struct Networks {
    nn::UNet unet{nn::UNetConfig::from_json(io::Json::load(golden("lora/unet/config.json")))};
    nn::ClipText text{io::Json::load(golden("lora/text/config.json"))};

    explicit Networks(const std::string &lora = "") {
        const std::vector<nn::LoraUse> uses =
            lora.empty() ? std::vector<nn::LoraUse>() : std::vector<nn::LoraUse>{{lora, 1, 1, false}};
        const nn::LoraStack stack(uses, unet.module(), &text.module());
        reports = stack.reports();
        nn::load(unet.module(), nn::WeightSource::from_folder(golden("lora/unet")), at::kFloat, at::kCPU, nullptr,
                 [&](const std::string &name, const at::Tensor &weight) { return stack.patch_unet(name, weight); });
        text.load(nn::WeightSource::from_folder(golden("lora/text")), at::kFloat, at::kCPU,
                  [&](const std::string &name, const at::Tensor &weight) { return stack.patch_text(name, weight); });
    }

    // The text encoder is wider than the U-Net's attention.
    at::Tensor forward(const at::Tensor &x, const at::Tensor &times, const at::Tensor &ids) const {
        return unet.forward(x, times, text.forward(ids).slice(2, 0, 6), nullptr, nullptr);
    }

    std::vector<nn::LoraReport> reports;
};

// Shapes as text, "8x3x1x1", and alphas as numbers, by the file's names in alphabetical order.
using Wanted = std::map<std::string, std::string>;

class Case {
public:
    explicit Case(const std::string &name) : source_(nn::WeightSource::from_file(golden("lora_layers/" + name + ".safetensors"))) {
        std::ifstream list(golden("lora_layers/" + name + ".txt"));
        for (std::string tensor, shape; list >> tensor >> shape;)
            wanted_[tensor] = shape;
        ck_assert_uint_gt(wanted_.size(), 0);
    }
    at::Tensor tensor(const std::string &name) const { return source_.tensor(name, at::kFloat, at::kCPU); }
    at::Tensor ids() const { return source_.tensor("ids", at::kLong, at::kCPU); }
    const Wanted &wanted() const { return wanted_; }

private:
    nn::WeightSource source_;
    Wanted wanted_;
};

bool is_alpha(const std::string &name) { return name.find(".alpha") != std::string::npos; }

std::string shape_text(const at::Tensor &tensor) {
    std::string text;
    for (const int64_t side : tensor.sizes())
        text += (text.empty() ? "" : "x") + std::to_string(side);
    return text;
}

void add_all(LoraLayers &lora, Networks &networks, bool everything) {
    const train::LoraShape shape{3, 2, everything ? 2 : 0, 1};
    lora.add(networks.unet.module(), LoraPart::unet, shape, 1);
    if (everything)
        lora.add(networks.text.module(), LoraPart::text, shape, 1);
}

// The golden's values; fails where names or shapes are not its own.
void take_values(const LoraLayers &lora, const Case &golden_case) {
    const at::NoGradGuard no_gradient;
    const std::map<std::string, at::Tensor> own(lora.parameters().begin(), lora.parameters().end());
    size_t found = 0;
    int64_t j = 0;
    for (const auto &[name, shape] : golden_case.wanted()) {
        j++;
        if (is_alpha(name))
            continue;
        ck_assert_msg(own.count(name), "%s is missing", name.c_str());
        at::Tensor value = own.at(name);
        ck_assert_str_eq(shape_text(value).c_str(), shape.c_str());
        value.copy_((0.3 * at::cos(0.37 * at::arange(value.numel(), at::kDouble) + (j - 1))).view(value.sizes()));
        found++;
    }
    ck_assert_uint_eq(found, own.size());
}

// All gradients in alphabetical order, each times `factor`.
at::Tensor gradients(const LoraLayers &lora, double factor) {
    std::vector<at::Tensor> all;
    for (const auto &entry : std::map<std::string, at::Tensor>(lora.parameters().begin(), lora.parameters().end()))
        all.push_back(entry.second.grad().flatten() * factor);
    return at::cat(all);
}

void check_case(const std::string &name, bool everything) {
    const Case golden_case(name);
    Networks networks;
    LoraLayers lora;
    add_all(lora, networks, everything);
    take_values(lora, golden_case);
    const at::Tensor x = golden_case.tensor("x");
    // Twice, as gradients of micro-batches add up.
    for (int pass = 0; pass < 2; pass++) {
        lora.apply();
        const at::Tensor out = networks.forward(x, golden_case.tensor("times"), golden_case.ids());
        expect_close(out.detach(), golden_case.tensor("out"), 1e-5, name);
        (out - x).square().mean().backward();
    }
    const at::Tensor found = gradients(lora, 0.5), wanted = golden_case.tensor("gradient");
    expect_close(found, wanted, 1e-4, "gradients");
    // Each tensor's by itself: small ones count too.
    int64_t at = 0;
    for (const auto &[parameter, tensor] : std::map<std::string, at::Tensor>(lora.parameters().begin(), lora.parameters().end())) {
        expect_close(found.slice(0, at, at + tensor.numel()), wanted.slice(0, at, at + tensor.numel()), 1e-3, parameter);
        at += tensor.numel();
    }
}

} // namespace

AIANIME_TEST(attention_as_pytorch_trains_it) { check_case("attention", false); }
AIANIME_TEST(everything_as_pytorch_trains_it) { check_case("everything", true); }

AIANIME_TEST(begins_as_the_base_and_leaves_it) {
    const at::NoGradGuard no_gradient;
    const Case golden_case("everything");
    Networks networks, plain;
    const auto run = [&](const Networks &some) {
        return some.forward(golden_case.tensor("x"), golden_case.tensor("times"), golden_case.ids());
    };
    const at::Tensor base = run(plain);
    LoraLayers lora;
    add_all(lora, networks, true);
    lora.apply();
    expect_close(run(networks), base, 1e-6, "before training");
    take_values(lora, golden_case);
    lora.apply();
    ck_assert(relative_error(run(networks), base) > 0.01);
    lora.remove();
    ck_assert(at::equal(run(networks), base));
}

// The same seed gives the same beginning, in whatever order; another gives another.
AIANIME_TEST(seeds) {
    Networks one, two, three;
    LoraLayers a, b, c;
    const train::LoraShape shape{3, 2, 2, 1};
    a.add(one.unet.module(), LoraPart::unet, shape, 1);
    b.add(two.text.module(), LoraPart::text, shape, 1);
    b.add(two.unet.module(), LoraPart::unet, shape, 1);
    c.add(three.unet.module(), LoraPart::unet, shape, 2);
    const size_t text = b.parameters().size() - a.parameters().size();
    ck_assert_uint_gt(text, 0);
    for (size_t i = 0; i < a.parameters().size(); i++) {
        const auto &[name, value] = a.parameters()[i];
        ck_assert(at::equal(value, b.parameters()[i + text].second));
        const bool down = name.find("lora_down") != std::string::npos;
        ck_assert_msg(at::equal(value, c.parameters()[i].second) != down, "%s", name.c_str());
        if (down) {
            const double bound = 1 / std::sqrt(static_cast<double>(value[0].numel()));
            ck_assert_double_le(value.abs().max().item<double>(), bound);
            ck_assert_double_gt(value.abs().max().item<double>(), bound / 3);
        } else {
            ck_assert_double_eq(value.abs().max().item<double>(), 0);
        }
    }
}

// What is written loads in the filter, changes every layer and gives the network that was in training.
AIANIME_TEST(the_file_is_the_network_in_training) {
    const at::NoGradGuard no_gradient;
    const TempFolder folder;
    for (const bool everything : {false, true}) {
        const Case golden_case(everything ? "everything" : "attention");
        Networks networks;
        LoraLayers lora;
        add_all(lora, networks, everything);
        take_values(lora, golden_case);
        const std::string path = folder.path("style.safetensors");
        lora.write(path, train::LoraPrecision::float32, {{"ss_network_dim", "3"}});
        const io::SafetensorsFile file(path);
        ck_assert_str_eq(file.metadata().at("ss_network_dim").c_str(), "3");
        ck_assert_uint_eq(file.tensors().size(), golden_case.wanted().size());
        const nn::WeightSource source = nn::WeightSource::from_file(path);
        for (const auto &[name, shape] : golden_case.wanted()) {
            ck_assert_msg(file.tensors().count(name), "%s is missing", name.c_str());
            const at::Tensor stored = source.tensor(name, at::kFloat, at::kCPU);
            if (is_alpha(name))
                ck_assert_double_eq_tol(stored.item<double>(), std::stod(shape), 1e-6);
            else
                ck_assert_str_eq(shape_text(stored).c_str(), shape.c_str());
        }

        const Networks merged(path);
        ck_assert_uint_eq(merged.reports.size(), 1);
        ck_assert_uint_eq(merged.reports[0].unmatched.size(), 0);
        ck_assert_uint_eq(static_cast<size_t>(merged.reports[0].matched()), lora.layers());
        ck_assert_str_eq(merged.reports[0].dialect.c_str(), "kohya LoRA");
        lora.apply();
        const at::Tensor x = golden_case.tensor("x"), times = golden_case.tensor("times");
        expect_close(merged.forward(x, times, golden_case.ids()), networks.forward(x, times, golden_case.ids()), 1e-5, "merged");
    }
}

AIANIME_TEST(smaller_files) {
    const at::NoGradGuard no_gradient;
    const TempFolder folder;
    const Case golden_case("everything");
    Networks networks;
    LoraLayers lora;
    add_all(lora, networks, true);
    take_values(lora, golden_case);
    lora.apply();
    const at::Tensor x = golden_case.tensor("x"), times = golden_case.tensor("times");
    const at::Tensor exact = networks.forward(x, times, golden_case.ids());
    for (const auto &[precision, limit] :
         {std::pair(train::LoraPrecision::float16, 2e-3), std::pair(train::LoraPrecision::bfloat16, 2e-2)}) {
        lora.write(folder.path("style.safetensors"), precision, {});
        const double error = relative_error(Networks(folder.path("style.safetensors")).forward(x, times, golden_case.ids()), exact);
        ck_assert_double_lt(error, limit);
        ck_assert_double_gt(error, 0);
    }
}

// More than a weight has rows or columns is no use; the strength stays what was asked for.
AIANIME_TEST(ranks_beyond_the_layer) {
    const at::NoGradGuard no_gradient;
    const TempFolder folder;
    Networks networks;
    LoraLayers lora;
    lora.add(networks.unet.module(), LoraPart::unet, {64, 32, 0, 0}, 1);
    for (const auto &[name, tensor] : lora.parameters())
        if (name.find("lora_down") != std::string::npos)
            ck_assert_int_le(tensor.size(0), 8);
    lora.write(folder.path("style.safetensors"), train::LoraPrecision::float32, {});
    const nn::WeightSource source = nn::WeightSource::from_file(folder.path("style.safetensors"));
    const auto &[name, down] = lora.parameters().front();
    const std::string alpha = name.substr(0, name.find(".lora_down")) + ".alpha";
    ck_assert_double_eq_tol(source.tensor(alpha, at::kFloat, at::kCPU).item<double>(), 0.5 * static_cast<double>(down.size(0)),
                            1e-6);
}

AIANIME_TEST(values_that_are_not_finite_are_not_written) {
    const at::NoGradGuard no_gradient;
    const TempFolder folder;
    Networks networks;
    LoraLayers lora;
    add_all(lora, networks, false);
    at::Tensor up = lora.parameters()[1].second;
    up.view({-1})[0].fill_(1e6);
    const std::string path = folder.path("style.safetensors");
    expect_error([&] { lora.write(path, train::LoraPrecision::float16, {}); }, AIANIME_NOT_FINITE, "lora_up");
    lora.write(path, train::LoraPrecision::bfloat16, {});
    up.view({-1})[0].fill_(std::numeric_limits<float>::quiet_NaN());
    expect_error([&] { lora.write(path, train::LoraPrecision::bfloat16, {}); }, AIANIME_NOT_FINITE, "lora_up");
}

int main() {
    return run_suite("lora_layers", {attention_as_pytorch_trains_it, everything_as_pytorch_trains_it,
                                     begins_as_the_base_and_leaves_it, seeds, the_file_is_the_network_in_training, smaller_files,
                                     ranks_beyond_the_layer, values_that_are_not_finite_are_not_written});
}
