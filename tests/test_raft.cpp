// SPDX-License-Identifier: LGPL-2.1-or-later
// RAFT against torchvision's definition and against the code it comes from; see golden/make_raft.py.
#include "nn/raft.h"

#include <algorithm>
#include <limits>

#include "nn/aten.h"
#include "nn/raft_correlation.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;

namespace {

constexpr int golden_updates = 4;

bool ends(const std::string &text, const std::string &with) {
    return text.size() >= with.size() && text.compare(text.size() - with.size(), with.size(), with) == 0;
}

// Variances are positive, and means not near zero.
at::Tensor statistics(const std::string &name, const at::Tensor &weight) {
    return ends(name, "running_var") ? 1 + 4 * weight : ends(name, "running_mean") ? 8 * weight : weight;
}

at::Tensor picture(const std::string &name) {
    const at::Tensor coarse = at::upsample_bilinear2d(synthetic_tensor(name, {1, 3, 17, 19}) * 8, {136, 152}, false);
    return (coarse + synthetic_tensor(name + " fine", {1, 3, 136, 152})).mul(0.5).add(0.5).clamp(0, 1);
}

nn::WeightSource written(const TempFolder &folder, const std::vector<ListedTensor> &tensors) {
    write_synthetic(folder.path("raft.safetensors"), tensors);
    return nn::WeightSource::from_file(folder.path("raft.safetensors"));
}

void expect_golden(const std::string &name) {
    const c10::InferenceMode guard;
    const TempFolder folder;
    const nn::WeightSource source = nn::raft_names(written(folder, read_tensor_list("raft/" + name)));
    nn::Raft network(nn::raft_size(source));
    nn::load(network, source, at::kFloat, at::kCPU, nn::raft_ignores, statistics);
    const at::Tensor flow = network.flow(network.look(picture("a")), network.look(picture("b")), golden_updates);
    const at::Tensor golden = nn::WeightSource::from_file(tests_folder() + "/golden/raft/" + name + "_io.safetensors")
                                  .tensor("flow", at::kFloat, at::kCPU);
    expect_close(flow.slice(2, 0, 136, 4).slice(3, 0, 152, 4), golden, 1e-4, name);
}

} // namespace

AIANIME_TEST(large) { expect_golden("large"); }
AIANIME_TEST(small) { expect_golden("small"); }
AIANIME_TEST(large_in_the_original_names) { expect_golden("original_large"); }
AIANIME_TEST(small_in_the_original_names) { expect_golden("original_small"); }

// Nothing missing, nothing left over, as many parameters as torchvision states.
AIANIME_TEST(names_and_shapes_of_the_real_files) {
    const TempFolder folder;
    for (const auto &[name, parameters] : {std::pair<std::string, int64_t>{"large", 5257536}, {"small", 990162}})
        for (const std::string &dialect : {name, "original_" + name}) {
            write_hollow(folder.path("full.safetensors"), read_tensor_list("raft/" + dialect));
            const nn::WeightSource source = nn::raft_names(nn::WeightSource::from_file(folder.path("full.safetensors")));
            nn::Raft network(nn::raft_size(source));
            nn::check_names(network, source, nn::raft_ignores);
            int64_t statistics = 0;
            network.visit([&](const std::string &tensor, at::Tensor &, const std::vector<int64_t> &shape) {
                statistics += tensor.find(".running_") == std::string::npos ? 0 : shape.front();
            });
            ck_assert_int_eq(network.parameter_count() - statistics, parameters);
        }
}

AIANIME_TEST(broken_files) {
    const TempFolder folder;
    const std::string path = folder.path("raft.safetensors");
    const auto refuse = [&](const std::vector<ListedTensor> &tensors, const char *text) {
        write_hollow(path, tensors);
        expect_error([&] { nn::load_raft(nn::WeightSource::from_file(path), at::kCPU); }, AIANIME_BAD_DATA, text);
    };
    const std::vector<ListedTensor> whole = read_tensor_list("raft/small");
    const auto changed = [&](const char *name, const std::function<void(std::vector<ListedTensor> &, ListedTensor &)> &change) {
        std::vector<ListedTensor> tensors = whole;
        change(tensors, *std::find_if(tensors.begin(), tensors.end(), [&](const ListedTensor &t) { return t.name == name; }));
        return tensors;
    };
    constexpr const char *bias = "update_block.flow_head.conv2.bias";
    refuse(changed(bias, [](auto &tensors, ListedTensor &) { tensors.pop_back(); }), "missing update_block");
    refuse(changed(bias, [](auto &, ListedTensor &tensor) { tensor.shape = {3}; }),
           "wrong shape update_block.flow_head.conv2.bias");
    refuse(changed(bias,
                   [](auto &tensors, ListedTensor &) {
                       tensors.push_back({"more.weight", "F32", {2}});
                   }),
           "unexpected more.weight");
    refuse(changed(bias,
                   [](auto &tensors, ListedTensor &) {
                       tensors.push_back({"mask_predictor.conv.weight", "F32", {2}});
                   }),
           "missing");
    refuse({{"conv.weight", "F32", {4}}}, "not a RAFT network; wanted is torchvision's raft_large or raft_small");
    refuse(read_tensor_list("annotators/full_softedge"), "not a RAFT network");
}

AIANIME_TEST(values_that_are_not_finite) {
    const TempFolder folder;
    std::vector<ListedTensor> tensors = read_tensor_list("raft/small");
    tensors[3].gain = std::numeric_limits<double>::infinity();
    const std::string text = tensors[3].name + " holds values that are not finite";
    const nn::WeightSource source = written(folder, tensors);
    expect_error([&] { nn::load_raft(source, at::kCPU); }, AIANIME_BAD_DATA, text.c_str());
}

// With features that tell every cell from every other, the place looked at is the place found.
AIANIME_TEST(correlation_finds_its_cell) {
    const c10::InferenceMode guard;
    const int64_t height = 16, width = 18;
    const at::Tensor to = at::eye(height * width).view({1, height, width, height * width}).permute({0, 3, 1, 2});
    const at::Tensor from = to.roll({2, -1}, {2, 3}); // what is at (x, y) here is at (x + 1, y - 2) there
    const nn::RaftCorrelation correlation(from, to);
    const at::Tensor x = at::arange(width, at::kFloat).expand({height, width});
    const at::Tensor y = at::arange(height, at::kFloat).view({height, 1}).expand({height, width});
    const at::Tensor found = correlation.around(at::stack({x, y}).unsqueeze(0), 3);
    ck_assert(found.sizes().equals({1, 4 * 49, height, width}));
    // The channels of the finest level, x slowest.
    const at::Tensor cell = found[0].slice(0, 0, 49).argmax(0);
    ck_assert_int_eq(cell[8][9].item<int64_t>(), (3 + 1) * 7 + (3 - 2));
}

int main() {
    return run_suite("raft",
                     {large, small, large_in_the_original_names, small_in_the_original_names, names_and_shapes_of_the_real_files,
                      broken_files, values_that_are_not_finite, correlation_finds_its_cell});
}
