// SPDX-License-Identifier: LGPL-2.1-or-later
// The initial noise as a file: which row belongs to which frame, and what is refused.
#include "support.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "io/safetensors_writer.h"
#include "nn/aten.h"
#include "pipeline/noise_file.h"

using aianime::io::DType;
using aianime::pipeline::NoiseFile;

namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

// Each tensor counts up from 0.
void write_counting(const std::string &path, const Shapes &shapes, float last = 0) {
    std::vector<float> numbers(4096);
    std::iota(numbers.begin(), numbers.end(), 0.0f);
    numbers[1] += last;
    std::map<std::string, aianime::io::TensorData> tensors;
    for (const auto &[name, shape] : shapes)
        tensors[name] = {DType::f32, shape, numbers.data()};
    aianime::io::write_safetensors(path, tensors);
}

} // namespace

AIANIME_TEST(rows_go_by_first_use) {
    const TempFolder folder;
    write_counting(folder.path("n"), {{"whatever", {3, 2, 4, 5}}});
    NoiseFile noise(folder.path("n"));
    const auto first = [&](int64_t identity) { return noise.frame(identity, 2, 4, 5).flatten()[0].item<float>(); };
    ck_assert(first(700) == 0 && first(-3) == 40 && first(700) == 0 && first(9) == 80);
    ck_assert(noise.frame(9, 2, 4, 5)[1][3][4].item<float>() == 119);
    expect_error([&] { noise.frame(10, 2, 4, 5); }, AIANIME_BAD_DATA, "the noise of 3 frames, and this run generates more");
    ck_assert(first(-3) == 40);
}

AIANIME_TEST(the_tensor_is_found_by_its_name) {
    const TempFolder folder;
    write_counting(folder.path("n"), {{"latents", {1, 4, 8, 8}}, {"noise", {1, 1, 2, 2}}});
    NoiseFile noise(folder.path("n"));
    ck_assert(noise.frame(0, 1, 2, 2).dtype() == at::kFloat);
    expect_error([&] { noise.frame(0, 4, 8, 8); }, AIANIME_BAD_DATA, "is 1x2x2, this run's latents are 4x8x8");
}

AIANIME_TEST(what_is_refused) {
    const TempFolder folder;
    const std::string path = folder.path("n");
    const auto refused = [&](const char *part) { expect_error([&] { NoiseFile{path}; }, AIANIME_BAD_DATA, part); };
    write_counting(path, {{"a", {1, 4, 8, 8}}, {"b", {1, 4, 8, 8}}});
    refused("this one holds 2");
    write_counting(path, {{"a", {4, 8, 8}}});
    refused("\"a\" is 4x8x8; initial noise is [frames");
    write_counting(path, {{"a", {1, 4, 8, 8}}}, INFINITY);
    refused("not finite");
    expect_error([&] { NoiseFile{folder.path("none")}; }, AIANIME_NOT_FOUND, "none");
}

int main() { return run_suite("noise_file", {rows_go_by_first_use, the_tensor_is_found_by_its_name, what_is_refused}); }
