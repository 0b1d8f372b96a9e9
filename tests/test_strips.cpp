// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/strips.h"

#include "support.h"

#include "nn/aten.h"
#include "nn/doubling_conv.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;

namespace {

at::Tensor picture(int64_t batch, int64_t channels, int64_t height, int64_t width) {
    return synthetic_tensor("picture", {batch, channels, height, width}).mul(20).add(3).contiguous(at::MemoryFormat::ChannelsLast);
}

void fill(nn::Module &module) {
    module.visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &shape) {
        tensor = synthetic_tensor(name, shape);
        if (tensor.dim() == 4)
            tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    });
    module.call_loaded();
}

} // namespace

// Strips of one row, of some and of all, with a last one that is shorter, against PyTorch's own layers on the whole.
AIANIME_TEST(strips_give_what_the_whole_gives) {
    const c10::InferenceMode inference;
    nn::GroupNorm norm(4, 8, 1e-6);
    nn::Conv2d conv(8, 6, 3);
    fill(norm);
    fill(conv);
    for (int64_t batch : {1, 2}) {
        const at::Tensor x = picture(batch, 8, 13, 7);
        const at::Tensor whole = conv.forward(norm.forward_silu(x));
        for (int64_t rows : {1, 4, 12, 13})
            expect_close(nn::norm_silu_conv(norm, conv, x, rows * batch * 8 * 7 * 4), whole, 1e-5, std::to_string(rows) + " rows");
    }
}

AIANIME_TEST(every_row_is_in_one_strip_with_its_neighbours) {
    const at::Tensor x = picture(1, 2, 5, 3);
    int64_t next = 0;
    nn::for_strips(x, 2 * 2 * 3 * 4, [&](int64_t first, int64_t end, const at::Tensor &rows) {
        ck_assert_int_eq(first, next);
        ck_assert_int_eq(rows.size(2), end - first + 2);
        ck_assert(rows.slice(2, 1, rows.size(2) - 1).equal(x.slice(2, first, end)));
        if (first == 0)
            ck_assert_double_eq(rows.slice(2, 0, 1).abs().max().item<double>(), 0);
        next = end;
    });
    ck_assert_int_eq(next, 5);
}

// Large enough for both layers to take strips by themselves.
AIANIME_TEST(a_large_doubling_convolution) {
    const c10::InferenceMode inference;
    nn::DoublingConv conv(3, 16);
    fill(conv);
    const at::Tensor x = picture(1, 3, 500, 499);
    ck_assert(nn::in_strips(int64_t{1000} * 998 * 16 * 4, conv.weight));
    expect_close(conv.forward_doubled(x), conv.forward(at::upsample_nearest2d(x, {1000, 998})), 1e-5, "doubled");
}

int main() {
    return run_suite(
        "strips", {strips_give_what_the_whole_gives, every_row_is_in_one_strip_with_its_neighbours, a_large_doubling_convolution});
}
