// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/doubling_conv.h"

#include "nn/aten.h"
#include "nn/strips.h"

namespace aianime::nn {

namespace {

// Along dimension `dim`: the doubled picture's even lines see source lines i - 1 and i, odd ones i and i + 1.
at::Tensor two_taps(const at::Tensor &weight, int64_t dim, bool odd) {
    const std::vector<at::Tensor> taps = weight.unbind(dim);
    return odd ? at::stack({at::add(taps[0], taps[1]), taps[2]}, dim) : at::stack({taps[0], at::add(taps[1], taps[2])}, dim);
}

} // namespace

DoublingConv::DoublingConv(int64_t in, int64_t out, bool with_bias) : Conv2d(in, out, 3, 1, with_bias) {}

void DoublingConv::loaded() {
    const at::Tensor exact = weight.to(at::kFloat);
    std::vector<at::Tensor> sums;
    for (const bool below : {false, true})
        for (const bool right : {false, true})
            sums.push_back(two_taps(two_taps(exact, 2, below), 3, right));
    sums_ = at::cat(sums).to(weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    sums_bias_ = bias.defined() ? bias.repeat({4}) : at::Tensor();
}

at::Tensor DoublingConv::forward_doubled(const at::Tensor &x) const {
    const int64_t height = x.size(2), width = x.size(3), out = weight.size(0);
    if (weight.requires_grad())
        return forward(at::upsample_nearest2d(x, {2 * height, 2 * width}));
    const at::Tensor result = at::empty({x.size(0), height, 2, width, 2, out}, x.options());
    // One line and column more than the source: place (p, q) reads source lines p - 1 and p, columns q - 1 and q.
    const auto spread = [&](const at::Tensor &places, int64_t first, int64_t end) {
        const at::Tensor rows = result.slice(1, first, end), last = places.permute({0, 2, 3, 1});
        for (int64_t below = 0; below < 2; below++)
            for (int64_t right = 0; right < 2; right++) {
                const at::Tensor place = last.slice(3, (2 * below + right) * out, (2 * below + right + 1) * out);
                rows.select(2, below).select(3, right).copy_(
                    place.slice(1, below, below + end - first).slice(2, right, right + width));
            }
    };
    // The result is four times as large as x.
    if (in_strips(static_cast<int64_t>(result.nbytes()), weight))
        for_strips(x, strip_bytes / 4, [&](int64_t first, int64_t end, const at::Tensor &rows) {
            spread(at::conv2d(rows, sums_, sums_bias_, {1, 1}, at::IntArrayRef({0, 1})), first, end);
        });
    else
        spread(at::conv2d(x, sums_, sums_bias_, {1, 1}, {1, 1}), 0, height);
    return result.view({x.size(0), 2 * height, 2 * width, out}).permute({0, 3, 1, 2});
}

} // namespace aianime::nn
