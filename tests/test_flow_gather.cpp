// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/flow_gather.h"

#include "nn/aten.h"
#include "support.h"
#include "support_networks.h"

using namespace aianime;

namespace {

constexpr int64_t height = 6, width = 10;

at::Tensor features(int64_t n, int64_t channels) {
    return at::randn({n, channels, height, width}, at::detail::createCPUGenerator(5), at::kFloat);
}

at::Tensor moved(double x, double y) {
    const at::Tensor flow = at::empty({1, 2, height, width}, at::kFloat);
    flow.select(1, 0).fill_(x);
    flow.select(1, 1).fill_(y);
    return flow;
}

} // namespace

AIANIME_TEST(no_motion_is_the_identity) {
    const at::Tensor x = features(2, 3);
    const nn::FlowField none = nn::still(height, width);
    expect_close(nn::gather_along(x, none.flow.expand({2, 2, height, width})), x, 1e-5, "in place");
    ck_assert(nn::resize_flow(none, height, width).valid.eq(1).all().item<bool>());
    const nn::FlowField coarse = nn::resize_flow(none, 3, 5);
    ck_assert(coarse.flow.eq(0).all().item<bool>() && coarse.valid.eq(1).all().item<bool>());
}

AIANIME_TEST(a_translation_picks_the_translated_tokens) {
    const at::Tensor x = features(1, 4);
    const at::Tensor there = nn::gather_along(x, moved(3, -2));
    expect_close(there.slice(2, 2).slice(3, 0, width - 3), x.slice(2, 0, height - 2).slice(3, 3), 1e-5, "three right, two up");
    const at::Tensor between = nn::gather_along(x, moved(0.25, 0));
    expect_close(between.slice(3, 0, width - 1), x.slice(3, 0, width - 1) * 0.75 + x.slice(3, 1) * 0.25, 1e-5, "a quarter");
}

AIANIME_TEST(places_outside_are_not_valid) {
    nn::FlowField field = {moved(3, -2)[0], at::ones({height, width}, at::kFloat)};
    const at::Tensor valid = nn::resize_flow(field, height, width).valid;
    const at::Tensor expected = at::zeros({height, width}, at::kFloat);
    expected.slice(0, 2).slice(1, 0, width - 3).fill_(1);
    ck_assert(valid.equal(expected));
}

// Two cells that become one: the hidden one has no say in the motion, and the validity is their mean.
AIANIME_TEST(what_is_hidden_does_not_move_its_cell) {
    nn::FlowField field = nn::still(height, width);
    field.flow.select(0, 0).fill_(2);
    field.flow.select(0, 1).fill_(-1);
    field.flow.slice(2, 1, 2).fill_(50);
    field.valid.slice(1, 1, 2).zero_();
    const nn::FlowField half = nn::resize_flow(field, height, width / 2);
    expect_close(half.flow[0].select(1, 0), at::ones({height}), 1e-5, "half the cells, half the motion");
    expect_close(half.flow[1].select(1, 0), at::full({height}, -1.0), 1e-5, "as many rows, the same motion");
    const at::Tensor column = half.valid.select(1, 0);
    expect_close(column.slice(0, 1), at::full({height - 1}, 0.5), 1e-5, "half of it is seen");
    ck_assert_double_eq(column[0].item<double>(), 0); // moves out at the top
    const nn::FlowField batch = nn::resize_flow(
        {field.flow.expand({2, 3, 2, height, width}), field.valid.expand({2, 3, height, width})}, height, width / 2);
    ck_assert(batch.flow[1][2].equal(half.flow) && batch.valid[0][1].equal(half.valid));
}

AIANIME_TEST(gradients_go_to_where_the_features_came_from) {
    const at::Tensor x = features(1, 1).requires_grad_(true);
    nn::gather_along(x, moved(1, 0)).select(3, 2).sum().backward();
    const at::Tensor expected = at::zeros({1, 1, height, width}, at::kFloat);
    expected.select(3, 3).fill_(1);
    expect_close(x.grad(), expected, 1e-5, "the column to the right");
}

int main() {
    return run_suite("flow_gather",
                     {no_motion_is_the_identity, a_translation_picks_the_translated_tokens, places_outside_are_not_valid,
                      what_is_hidden_does_not_move_its_cell, gradients_go_to_where_the_features_came_from});
}
