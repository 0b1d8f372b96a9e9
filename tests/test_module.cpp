// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cmath>
#include <cstring>

#include "nn/aten.h"
#include "nn/doubling_conv.h"
#include "nn/layers.h"
#include "nn/module.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

// A safetensors file with float32 tensors, each filled with its own number.
struct Entry {
    std::string name;
    std::vector<int64_t> shape;
    float value;
};

void write_safetensors(const std::string &path, const std::vector<Entry> &entries) {
    std::string header, data;
    for (const Entry &entry : entries) {
        int64_t count = 1;
        std::string shape;
        for (int64_t side : entry.shape) {
            count *= side;
            shape += (shape.empty() ? "" : ",") + std::to_string(side);
        }
        const size_t begin = data.size();
        for (int64_t i = 0; i < count; i++)
            data.append(reinterpret_cast<const char *>(&entry.value), sizeof entry.value);
        header += (header.empty() ? "{" : ",") +
                  ("\"" + entry.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[") +
                  std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
    }
    header += "}";
    const uint64_t length = header.size();
    write_file(path, std::string(reinterpret_cast<const char *>(&length), sizeof length) + header + data);
}

struct Pair : nn::Module {
    Pair() : conv(2, 3, 3), linear(4, 2, false) {
        child("blocks.0", conv);
        child("to_q", linear);
        parameter("scale", scale, {5});
    }
    void loaded() override { was_loaded = scale.defined() && conv.weight.defined(); }

    nn::Conv2d conv;
    nn::Linear linear;
    at::Tensor scale;
    bool was_loaded = false;
};

std::vector<Entry> pair_entries() {
    return {{"blocks.0.weight", {3, 2, 3, 3}, 1}, {"blocks.0.bias", {3}, 2}, {"to_q.weight", {2, 4}, 3}, {"scale", {5}, 4}};
}

void load_entries(nn::Module &module, const std::vector<Entry> &entries,
                  const std::function<bool(const std::string &)> &ignored = nullptr) {
    const TempFolder folder;
    write_safetensors(folder.path("model.safetensors"), entries);
    nn::load(module, nn::WeightSource::from_folder(folder.path()), at::kFloat, at::kCPU, ignored);
}

} // namespace

AIANIME_TEST(walk) {
    Pair pair;
    std::vector<std::string> names;
    pair.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        ck_assert(!tensor.defined());
        names.push_back(name);
    });
    ck_assert((names == std::vector<std::string>{"scale", "blocks.0.weight", "blocks.0.bias", "to_q.weight"}));
    ck_assert_int_eq(pair.parameter_count(), 54 + 3 + 8 + 5);
}

AIANIME_TEST(loading) {
    Pair pair;
    load_entries(pair, pair_entries());
    ck_assert(pair.was_loaded);
    ck_assert(pair.conv.weight.is_contiguous(at::MemoryFormat::ChannelsLast));
    ck_assert(!pair.conv.weight.requires_grad());
    ck_assert_double_eq(pair.conv.weight.min().item<double>(), 1);
    ck_assert_double_eq(pair.scale.max().item<double>(), 4);
}

AIANIME_TEST(conversion) {
    const TempFolder folder;
    write_safetensors(folder.path("any.safetensors"), pair_entries());
    const nn::WeightSource source = nn::WeightSource::from_file(folder.path("any.safetensors"));
    Pair pair;
    nn::load(pair, source, at::kBFloat16, at::kCPU);
    ck_assert(pair.linear.weight.scalar_type() == at::kBFloat16);
    ck_assert_double_eq(pair.linear.weight[1][3].item<double>(), 3);
    ck_assert(source.has("scale") && !source.has("scales"));
    expect_error([&] { source.tensor("scales", at::kFloat, at::kCPU); }, AIANIME_BAD_DATA, "scales");
}

AIANIME_TEST(old_attention_names) {
    Pair pair;
    std::vector<Entry> entries = pair_entries();
    entries[2].name = "query.weight";
    expect_error([&] { load_entries(pair, entries); }, AIANIME_BAD_DATA, "missing to_q.weight; unexpected query.weight");

    struct Attention : nn::Module {
        Attention() : to_q(1, 1, false), to_out(1, 1, false) {
            child("attentions.0.to_q", to_q);
            child("attentions.0.to_out.0", to_out);
        }
        nn::Linear to_q, to_out;
    } attention;
    load_entries(attention, {{"attentions.0.query.weight", {1, 1}, 5}, {"attentions.0.proj_attn.weight", {1, 1}, 6}});
    ck_assert_double_eq(attention.to_q.weight.item<double>(), 5);
    ck_assert_double_eq(attention.to_out.weight.item<double>(), 6);
}

AIANIME_TEST(weights_that_do_not_fit) {
    Pair pair;
    std::vector<Entry> entries = pair_entries();
    entries[0].shape = {3, 2, 1, 1};
    entries[3].name = "scales";
    expect_error([&] { load_entries(pair, entries); }, AIANIME_BAD_DATA,
                 "missing scale; unexpected scales; wrong shape blocks.0.weight [3,2,1,1] instead of [3,2,3,3]");
    ck_assert(!pair.linear.weight.defined());

    entries = pair_entries();
    entries.push_back({"position_ids", {1, 2}, 0});
    expect_error([&] { load_entries(pair, entries); }, AIANIME_BAD_DATA, "unexpected position_ids");
    load_entries(pair, entries, [](const std::string &name) { return name == "position_ids"; });
    ck_assert(pair.linear.weight.defined());
}

AIANIME_TEST(long_lists_are_cut) {
    Pair pair;
    std::vector<Entry> entries = pair_entries();
    for (int i = 10; i < 35; i++)
        entries.push_back({"extra." + std::to_string(i), {1}, 0});
    expect_error([&] { load_entries(pair, entries); }, AIANIME_BAD_DATA, "extra.28, extra.29 and 5 more");
}

AIANIME_TEST(folders) {
    const TempFolder folder;
    expect_error([&] { nn::WeightSource::from_folder(folder.path("nothing")); }, AIANIME_NOT_FOUND, "no such folder");
    expect_error([&] { nn::WeightSource::from_folder(folder.path()); }, AIANIME_NOT_FOUND, "model.safetensors");
    write_file(folder.path("pytorch_model.bin"), "PK");
    expect_error([&] { nn::WeightSource::from_folder(folder.path()); }, AIANIME_FORBIDDEN, "convert_pickle.py");
    write_safetensors(folder.path("model.fp16.safetensors"), {{"a", {1}, 1}});
    ck_assert_double_eq(nn::WeightSource::from_folder(folder.path()).tensor("a", at::kFloat, at::kCPU).item<double>(), 1);
    write_safetensors(folder.path("diffusion_pytorch_model.safetensors"), {{"a", {1}, 2}});
    ck_assert_double_eq(nn::WeightSource::from_folder(folder.path()).tensor("a", at::kFloat, at::kCPU).item<double>(), 2);
}

AIANIME_TEST(sharded_folders) {
    const TempFolder folder;
    const std::vector<Entry> entries = pair_entries();
    write_safetensors(folder.path("one.safetensors"), {entries[0], entries[1]});
    write_safetensors(folder.path("two.safetensors"), {entries[2], entries[3]});
    const std::string index = folder.path("model.safetensors.index.json");
    const std::string head = R"({"metadata": {"total_size": 1}, "weight_map": {"blocks.0.weight": "one.safetensors",
        "blocks.0.bias": "one.safetensors", "to_q.weight": ")";
    write_file(index, head + R"(two.safetensors", "scale": "two.safetensors"}})");
    Pair pair;
    nn::load(pair, nn::WeightSource::from_folder(folder.path()), at::kFloat, at::kCPU);
    ck_assert_double_eq(pair.scale[0].item<double>(), 4);

    write_file(index, head + R"(one.safetensors", "scale": "two.safetensors"}})");
    expect_error([&] { nn::WeightSource::from_folder(folder.path()); }, AIANIME_BAD_DATA, "to_q.weight is not in");
    write_file(index, head + R"(../two.safetensors", "scale": "two.safetensors"}})");
    expect_error([&] { nn::WeightSource::from_folder(folder.path()); }, AIANIME_FORBIDDEN, "..");
    write_file(index, head + R"(three.safetensors", "scale": "two.safetensors"}})");
    expect_error([&] { nn::WeightSource::from_folder(folder.path()); }, AIANIME_NOT_FOUND, "three.safetensors");
}

// Both sides of the size at which the CPU's way of computing changes.
AIANIME_TEST(group_norm_of_any_size) {
    const at::Generator generator = at::detail::createCPUGenerator(1);
    nn::GroupNorm norm(3, 12, 1e-5);
    norm.weight = at::randn({12}, generator);
    norm.bias = at::randn({12}, generator);
    for (int64_t side : {5, 40}) {
        const at::Tensor x = at::randn({2, 12, side, side}, generator).contiguous(at::MemoryFormat::ChannelsLast) + 3;
        const at::Tensor groups = x.reshape({2, 3, -1});
        const at::Tensor centred = groups - groups.mean(2, true);
        const at::Tensor unit = (centred / at::sqrt(at::square(centred).mean(2, true) + 1e-5)).view(x.sizes());
        const at::Tensor expected = unit * norm.weight.view({12, 1, 1}) + norm.bias.view({12, 1, 1});
        expect_close(norm.forward(x), expected, 1e-4, "side " + std::to_string(side));
        expect_close(norm.forward_silu(x), expected * at::sigmoid(expected), 1e-4, "SiLU, side " + std::to_string(side));
        ck_assert(norm.forward(x).is_contiguous(at::MemoryFormat::ChannelsLast));
    }
}

AIANIME_TEST(doubling_convolution) {
    const at::Generator generator = at::detail::createCPUGenerator(2);
    for (const bool bias : {false, true}) {
        nn::DoublingConv conv(3, 5, bias);
        conv.weight = at::randn({5, 3, 3, 3}, generator);
        if (bias)
            conv.bias = at::randn({5}, generator);
        conv.loaded();
        const at::Tensor x = at::randn({2, 3, 4, 7}, generator);
        const at::Tensor expected = at::conv2d(at::upsample_nearest2d(x, {8, 14}), conv.weight, conv.bias, {1, 1}, {1, 1});
        expect_close(conv.forward_doubled(x), expected, 1e-4, "sums");
        ck_assert(conv.forward_doubled(x).is_contiguous(at::MemoryFormat::ChannelsLast));
        conv.weight.requires_grad_();
        conv.forward_doubled(x).sum().backward();
        ck_assert(conv.weight.grad().defined());
        expect_close(conv.forward_doubled(x).detach(), expected, 1e-4, "while training");
    }
}

AIANIME_TEST(a29_values_that_are_not_finite_are_named) {
    const TempFolder folder;
    std::vector<Entry> entries = pair_entries();
    entries[1].value = INFINITY;
    entries[3].value = NAN;
    write_safetensors(folder.path("model.safetensors"), entries);
    Pair pair;
    const std::vector<std::string> names = nn::load(pair, nn::WeightSource::from_folder(folder.path()), at::kFloat, at::kCPU);
    ck_assert(names == std::vector<std::string>({"scale", "blocks.0.bias"}));
    write_safetensors(folder.path("model.safetensors"), pair_entries());
    Pair sound;
    ck_assert(nn::load(sound, nn::WeightSource::from_folder(folder.path()), at::kBFloat16, at::kCPU).empty());
}

int main() {
    return run_suite("module",
                     {walk, loading, conversion, old_attention_names, weights_that_do_not_fit, long_lists_are_cut, folders,
                      sharded_folders, group_norm_of_any_size, doubling_convolution, a29_values_that_are_not_finite_are_named});
}
