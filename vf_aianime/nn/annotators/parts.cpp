// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/parts.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t output_padding)
    : stride_(stride), padding_(padding), output_padding_(output_padding) {
    parameter("weight", weight, {in, out, kernel, kernel});
    parameter("bias", bias, {out});
}

at::Tensor ConvTranspose2d::forward(const at::Tensor &x) const {
    return at::conv_transpose2d(x, weight, bias, {stride_, stride_}, {padding_, padding_}, {output_padding_, output_padding_});
}

at::Tensor instance_norm(const at::Tensor &x) { return at::instance_norm(x, {}, {}, {}, {}, true, 0.1, 1e-5, false); }

at::Tensor reflection_pad(const at::Tensor &x, int64_t by) { return at::reflection_pad2d(x, {by, by, by, by}); }

int64_t side(const WeightSource &source, const std::string &name, size_t dimension) {
    if (!source.has(name))
        throw Error(AIANIME_BAD_DATA, source.description() + ": there is no tensor " + name);
    const std::vector<int64_t> shape = source.shape(name);
    if (dimension >= shape.size() || shape[dimension] < 1)
        throw Error(AIANIME_BAD_DATA, source.description() + ": " + name + " has not the shape of a weight");
    return shape[dimension];
}

int64_t count_numbered(const WeightSource &source, const std::string &before, const std::string &after) {
    int64_t count = 0;
    while (source.has(before + std::to_string(count) + after))
        count++;
    return count;
}

} // namespace aianime::nn
