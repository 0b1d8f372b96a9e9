// SPDX-License-Identifier: LGPL-2.1-or-later
// Hu et al., "LoRA" (arXiv 2106.09685); Yeh et al., "LyCORIS" (arXiv 2309.14859) for the Hadamard and Kronecker products and the
// Tucker form of convolutions; Liu et al., "DoRA" (arXiv 2402.09353).
#include "nn/lora_delta.h"

#include <cmath>
#include <limits>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

std::string shape_text(const at::Tensor &tensor) {
    std::string text = "[";
    for (int64_t i = 0; i < tensor.dim(); i++)
        text += (i ? "," : "") + std::to_string(tensor.size(i));
    return text + "]";
}

[[noreturn]] void throw_misfit(const at::Tensor &a, const at::Tensor &b) {
    throw Error(AIANIME_BAD_DATA, shape_text(a) + " does not go with " + shape_text(b));
}

// Rows times columns of all further sides.
at::Tensor matrix(const at::Tensor &tensor) {
    if (tensor.dim() < 2)
        throw Error(AIANIME_BAD_DATA, shape_text(tensor) + " is not a matrix");
    return tensor.flatten(1);
}

at::Tensor product(const at::Tensor &left, const at::Tensor &right) {
    const at::Tensor a = matrix(left), b = matrix(right);
    if (a.size(1) != b.size(0))
        throw_misfit(left, right);
    return at::matmul(a, b);
}

// Tucker form of a convolution: core [m, n, kernel...], out [m, rows], in [n, columns] -> [rows, columns * kernel].
at::Tensor tucker(const at::Tensor &core, const at::Tensor &out, const at::Tensor &in) {
    const at::Tensor kernels = matrix(core).view({core.size(0), core.size(1), -1});
    if (out.dim() != 2 || core.size(0) != out.size(0))
        throw_misfit(core, out);
    if (in.dim() != 2 || core.size(1) != in.size(0))
        throw_misfit(core, in);
    return at::einsum("mnk,mi,nj->ijk", {kernels, out, in}).flatten(1);
}

// A change of the whole weight as a matrix, and the rank it was made with; 0 where there is none to divide by.
struct Change {
    at::Tensor matrix;
    int64_t rank = 0;
};

Change low_rank(const LoraParts &parts, const PartReader &read) {
    const at::Tensor up = read("up"), down = read("down");
    if (!parts.has("mid"))
        return {product(up, down), matrix(down).size(0)};
    return {tucker(read("mid"), matrix(up).t(), matrix(down)), matrix(down).size(0)};
}

Change hadamard(const LoraParts &parts, const PartReader &read) {
    const auto half = [&](const std::string &a, const std::string &b, const std::string &core) {
        return parts.has(core) ? tucker(read(core), read(a), read(b)) : product(read(a), read(b));
    };
    const at::Tensor first = half("hada_w1_a", "hada_w1_b", "hada_t1"), second = half("hada_w2_a", "hada_w2_b", "hada_t2");
    if (!first.sizes().equals(second.sizes()))
        throw_misfit(first, second);
    return {first * second, read("hada_w1_b").size(0)};
}

Change kronecker(const LoraParts &parts, const PartReader &read, const at::Tensor &weight) {
    const at::Tensor first = parts.has("lokr_w1") ? matrix(read("lokr_w1")) : product(read("lokr_w1_a"), read("lokr_w1_b"));
    const at::Tensor second = parts.has("lokr_w2")   ? matrix(read("lokr_w2"))
                              : parts.has("lokr_t2") ? tucker(read("lokr_t2"), read("lokr_w2_a"), read("lokr_w2_b"))
                                                     : product(read("lokr_w2_a"), read("lokr_w2_b"));
    // Before the product is made, which could be of any size.
    if (first.size(0) * second.size(0) != weight.size(0) || first.size(1) * second.size(1) * weight.size(0) != weight.numel())
        throw Error(AIANIME_BAD_DATA, shape_text(first) + " times " + shape_text(second) + " is not " + shape_text(weight));
    const int64_t rank = parts.has("lokr_w1_b")   ? read("lokr_w1_b").size(0)
                         : parts.has("lokr_w2_b") ? read("lokr_w2_b").size(0)
                                                  : 0;
    return {at::kron(first, second), rank};
}

double strength(const LoraParts &parts, int64_t rank) {
    if (!parts.alpha || !rank)
        return 1;
    const auto divisor = static_cast<double>(rank);
    return *parts.alpha / (parts.rank_stabilized ? std::sqrt(divisor) : divisor);
}

at::Tensor plain_delta(const LoraParts &parts, const PartReader &read, const at::Tensor &weight) {
    Change change = parts.has("diff")        ? Change{read("diff"), 0}
                    : parts.has("up")        ? low_rank(parts, read)
                    : parts.has("hada_w1_a") ? hadamard(parts, read)
                                             : kronecker(parts, read, weight);
    if (change.matrix.size(0) != weight.size(0) || change.matrix.numel() != weight.numel())
        throw Error(AIANIME_BAD_DATA, shape_text(change.matrix) + " instead of " + shape_text(weight));
    return change.matrix.mul_(strength(parts, change.rank)).reshape(weight.sizes());
}

// The changed weight gets its length back from `scale`, per output channel or, in LyCORIS' older files, per input channel.
at::Tensor with_magnitude(const at::Tensor &changed, const at::Tensor &scale, bool per_output) {
    const int64_t channel = per_output ? 0 : 1;
    if (changed.dim() < 2 || scale.numel() != changed.size(channel))
        throw_misfit(scale, changed);
    std::vector<int64_t> side(static_cast<size_t>(changed.dim()), 1);
    side[static_cast<size_t>(channel)] = changed.size(channel);
    const at::Tensor length = changed.transpose(0, channel).flatten(1).norm(2, 1).reshape(side);
    return changed * (scale.reshape(side) / (length + std::numeric_limits<float>::epsilon()));
}

// PEFT's lies along the outputs whatever its shape, [out] or [1, out, 1, 1].
bool is_per_output(const LoraParts &parts, const at::Tensor &scale, const at::Tensor &weight) {
    return parts.has("magnitude") || scale.dim() < 2 || (scale.size(0) == weight.size(0) && scale.size(0) == scale.numel());
}

} // namespace

std::string LoraParts::defect() const {
    static constexpr const char *partners[][2] = {
        {"up", "down"},
        {"down", "up"},
        {"mid", "up"},
        {"hada_w1_a", "hada_w1_b"},
        {"hada_w1_b", "hada_w2_a"},
        {"hada_w2_a", "hada_w2_b"},
        {"hada_w2_b", "hada_w1_a"},
        {"hada_t1", "hada_t2"},
        {"hada_t2", "hada_t1"},
        {"hada_t1", "hada_w1_a"},
        {"lokr_w1_a", "lokr_w1_b"},
        {"lokr_w1_b", "lokr_w1_a"},
        {"lokr_w2_a", "lokr_w2_b"},
        {"lokr_w2_b", "lokr_w2_a"},
        {"lokr_t2", "lokr_w2_a"},
    };
    for (const auto &[part, partner] : partners)
        if (has(part) && !has(partner))
            return std::string("has ") + part + " but not " + partner;
    const bool first = has("lokr_w1") || has("lokr_w1_a"), second = has("lokr_w2") || has("lokr_w2_a");
    if (first != second)
        return "has one half of a Kronecker product";
    if (has("up") + has("diff") + has("hada_w1_a") + first > 1 || (has("lokr_w1") && has("lokr_w1_a")) ||
        (has("lokr_w2") && has("lokr_w2_a")))
        return "is given in two ways at once";
    if ((has("dora") || has("magnitude")) && !changes_weight())
        return "has a DoRA scale and nothing to scale";
    return changes_weight() || changes_bias() ? "" : "has an alpha and nothing else";
}

bool LoraParts::changes_weight() const {
    return has("up") || has("diff") || has("hada_w1_a") || has("lokr_w1") || has("lokr_w1_a");
}

std::string LoraParts::kind() const {
    std::string name = has("hada_w1_a") ? "LoHa" : has("lokr_w1") || has("lokr_w1_a") ? "LoKr" : has("mid") ? "LoCon" : "LoRA";
    if (!has("up") && name == "LoRA")
        name = "full difference";
    return has("dora") || has("magnitude") ? name + " DoRA" : name;
}

at::Tensor weight_delta(const LoraParts &parts, const PartReader &read, const at::Tensor &weight) {
    const at::Tensor delta = plain_delta(parts, read, weight);
    if (!parts.has("dora") && !parts.has("magnitude"))
        return delta;
    const at::Tensor scale = read(parts.has("dora") ? "dora" : "magnitude");
    return with_magnitude(weight + delta, scale, is_per_output(parts, scale, weight)) - weight;
}

at::Tensor bias_delta(const PartReader &read, const at::Tensor &bias) {
    const at::Tensor delta = read("diff_b");
    if (delta.numel() != bias.numel())
        throw Error(AIANIME_BAD_DATA, shape_text(delta) + " instead of " + shape_text(bias));
    return delta.reshape(bias.sizes());
}

} // namespace aianime::nn
