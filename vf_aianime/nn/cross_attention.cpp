// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_attention.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "nn/aten.h"
#include "nn/cross_kernel.h"
#include "nn/layers.h"

namespace aianime::nn {

namespace {

struct Candidate {
    at::Tensor logits; // float32 [n, heads, tokens]
    at::Tensor values; // [n, heads, tokens, d]
};

// The layer's tokens, split in heads. Every tensor here is differentiable.
class Layer {
public:
    Layer(const CrossTokens &tokens, const at::Tensor &gates)
        : tokens_(tokens), gates_(gates.to(at::kFloat)), heads_(gates.size(1)), channels_(tokens.queries.size(2)),
          frames_(tokens.queries.size(0) / tokens.branches), queries_(split(tokens.queries * scale())) {}

    at::Tensor attend() const {
        std::vector<Candidate> all = {own()};
        for (int64_t slot = 0; slot < slots(); slot++)
            all.push_back(aligned(slot));
        std::vector<at::Tensor> logits;
        for (const Candidate &candidate : all)
            logits.push_back(candidate.logits.unsqueeze(-1));
        if (tokens_.coarse.defined())
            logits.push_back(coarse_logits());
        const at::Tensor weights = at::softmax(at::cat(logits, -1), -1);
        at::Tensor sum = (weights.select(-1, 0) - 1).unsqueeze(-1) * all.front().values;
        for (size_t i = 1; i < all.size(); i++)
            sum = sum + weights.select(-1, static_cast<int64_t>(i)).unsqueeze(-1) * all[i].values;
        if (tokens_.coarse.defined())
            sum = sum + coarse_mean(weights.slice(-1, static_cast<int64_t>(all.size())));
        return sum.transpose(1, 2).flatten(2).to(tokens_.queries.scalar_type());
    }

private:
    int64_t slots() const { return tokens_.neighbour_slots + static_cast<int64_t>(tokens_.anchors.size()); }
    double scale() const { return 1 / std::sqrt(static_cast<double>(channels_ / heads_)); }
    at::Tensor gate(CrossKind kind) const { return gates_[static_cast<int64_t>(kind)].view({1, heads_, 1}); }

    // [n, tokens, channels] -> float32 [n, heads, tokens, d]
    at::Tensor split(const at::Tensor &x) const { return x.to(at::kFloat).unflatten(2, {heads_, -1}).transpose(1, 2); }
    at::Tensor keys(const at::Tensor &both) const { return split(both.slice(2, 0, channels_)); }
    at::Tensor values(const at::Tensor &both) const { return split(both.slice(2, channels_)); }

    Candidate own() const { return {(queries_ * keys(tokens_.own)).sum(-1) + gate(CrossKind::own), values(tokens_.own)}; }

    Candidate aligned(int64_t slot) const {
        const bool anchor = slot >= tokens_.neighbour_slots;
        const at::Tensor both = anchor ? anchor_source(slot - tokens_.neighbour_slots) : neighbour_source(slot);
        const at::Tensor there =
            to_tokens(gather_along(to_picture(both, tokens_.height, tokens_.width), per_frame(tokens_.places.flow, slot)));
        at::Tensor seen = at::log(per_frame(tokens_.places.valid, slot).flatten(1)).unsqueeze(1);
        if (anchor)
            seen = seen - std::log(static_cast<double>(tokens_.anchors.size()));
        else
            seen = seen + missing(slot);
        return {(queries_ * keys(there)).sum(-1) + gate(anchor ? CrossKind::anchor : CrossKind::neighbour) + seen, values(there)};
    }

    // A slot of `places`, repeated for the branches that share it: [n, ...].
    at::Tensor per_frame(const at::Tensor &places, int64_t slot) const {
        const at::Tensor own_sets = places.select(2, slot);
        const int64_t sets = own_sets.size(0);
        return sets == tokens_.branches ? own_sets.flatten(0, 1)
                                        : at::cat(std::vector<at::Tensor>(static_cast<size_t>(tokens_.branches), own_sets[0]));
    }

    at::Tensor anchor_source(int64_t anchor) const {
        const at::Tensor &both = tokens_.anchors[static_cast<size_t>(anchor)];
        return both.unsqueeze(1).expand({-1, frames_, -1, -1}).flatten(0, 1);
    }

    int64_t neighbour(int64_t frame, int64_t slot) const {
        return tokens_.neighbours[static_cast<size_t>(frame * tokens_.neighbour_slots + slot)];
    }

    // A frame without a neighbour looks at itself, which missing() hides.
    at::Tensor neighbour_source(int64_t slot) const {
        std::vector<int64_t> index;
        for (int64_t branch = 0; branch < tokens_.branches; branch++)
            for (int64_t frame = 0; frame < frames_; frame++)
                index.push_back(branch * frames_ + (neighbour(frame, slot) < 0 ? frame : neighbour(frame, slot)));
        return tokens_.own.index_select(0, at::tensor(index).to(tokens_.own.device()));
    }

    // [n, 1, 1]
    at::Tensor missing(int64_t slot) const {
        std::vector<float> added;
        for (int64_t i = 0; i < tokens_.branches * frames_; i++)
            added.push_back(neighbour(i % frames_, slot) < 0 ? -INFINITY : 0);
        return at::tensor(added).view({-1, 1, 1}).to(tokens_.own.device());
    }

    at::Tensor by_branch(const at::Tensor &x) const { return x.unflatten(0, {tokens_.branches, frames_}); }

    // [n, heads, tokens, coarse tokens]
    at::Tensor coarse_logits() const {
        const at::Tensor k = keys(tokens_.coarse).unsqueeze(1); // [branches, 1, heads, coarse, d]
        const at::Tensor logits = at::matmul(by_branch(queries_), k.transpose(-1, -2)).flatten(0, 1);
        return logits + (gate(CrossKind::coarse) - std::log(static_cast<double>(tokens_.coarse.size(1)))).unsqueeze(-1);
    }

    at::Tensor coarse_mean(const at::Tensor &weights) const {
        return at::matmul(by_branch(weights), values(tokens_.coarse).unsqueeze(1)).flatten(0, 1);
    }

    const CrossTokens &tokens_;
    at::Tensor gates_;
    int64_t heads_, channels_, frames_;
    at::Tensor queries_;
};

// The same by the kernel for the CPU, `Number` as there.
template <typename Number>
class Fused {
public:
    Fused(const CrossTokens &tokens, const at::Tensor &gates)
        : tokens_(tokens), count_(tokens.height * tokens.width), queries_(tokens.queries.contiguous()),
          own_(tokens.own.contiguous()), flow_(tokens.places.flow.defined() ? tokens.places.flow.contiguous() : at::Tensor()),
          valid_(tokens.places.valid.defined() ? tokens.places.valid.contiguous() : at::Tensor()),
          biases_(gates.to(at::kFloat).clone()), heads_(gates.size(1)), channels_(queries_.size(2)),
          frames_(queries_.size(0) / tokens.branches) {
        for (const at::Tensor &anchor : tokens.anchors)
            anchors_.push_back(anchor.contiguous());
        if (!anchors_.empty())
            biases_[static_cast<int64_t>(CrossKind::anchor)].sub_(std::log(static_cast<double>(anchors_.size())));
        if (tokens.coarse.defined()) {
            const at::Tensor coarse = tokens.coarse.to(at::kFloat);
            coarse_keys_ =
                at::constant_pad_nd(coarse.slice(2, 0, channels_).transpose(1, 2), {0, -coarse.size(1) & 7}).contiguous();
            coarse_values_ = coarse.slice(2, channels_).contiguous();
            biases_[static_cast<int64_t>(CrossKind::coarse)].sub_(std::log(static_cast<double>(coarse.size(1))));
        }
    }

    at::Tensor attend() const {
        const at::Tensor result = at::empty_like(queries_);
        std::vector<CrossFrame<Number>> frames;
        for (int64_t i = 0; i < queries_.size(0); i++)
            frames.push_back(frame(i));
        cross_tokens(frames, numbers<Number>(result));
        return result;
    }

private:
    template <typename T>
    static T *numbers(const at::Tensor &tensor) {
        return static_cast<T *>(tensor.data_ptr());
    }

    const float *bias(CrossKind kind) const { return numbers<float>(biases_) + static_cast<int64_t>(kind) * heads_; }

    CrossFrame<Number> frame(int64_t i) const {
        const int64_t branch = i / frames_, own = i % frames_, size = count_ * 2 * channels_;
        CrossFrame<Number> one;
        one.height = tokens_.height;
        one.width = tokens_.width;
        one.heads = heads_;
        one.channels = channels_;
        one.queries = numbers<Number>(queries_) + i * count_ * channels_;
        one.own = numbers<Number>(own_) + i * size;
        one.own_bias = bias(CrossKind::own);
        const int64_t slots = tokens_.neighbour_slots + static_cast<int64_t>(anchors_.size());
        for (int64_t slot = 0; slot < slots; slot++) {
            const bool anchor = slot >= tokens_.neighbour_slots;
            const int64_t other = anchor ? -1 : tokens_.neighbours[static_cast<size_t>(own * tokens_.neighbour_slots + slot)];
            const Number *source = nullptr;
            if (anchor)
                source = numbers<Number>(anchors_[static_cast<size_t>(slot - tokens_.neighbour_slots)]) + branch * size;
            else if (other >= 0)
                source = numbers<Number>(own_) + (branch * frames_ + other) * size;
            const int64_t place = ((flow_.size(0) == 1 ? 0 : branch) * frames_ + own) * slots + slot;
            one.slots.push_back({source, source ? source + channels_ : source, 2 * channels_,
                                 numbers<float>(flow_) + place * 2 * count_, numbers<float>(valid_) + place * count_,
                                 bias(anchor ? CrossKind::anchor : CrossKind::neighbour)});
        }
        if (coarse_keys_.defined()) {
            one.coarse = coarse_values_.size(1);
            one.coarse_keys = numbers<float>(coarse_keys_[branch]);
            one.coarse_values = numbers<float>(coarse_values_[branch]);
            one.coarse_bias = bias(CrossKind::coarse);
        }
        return one;
    }

    const CrossTokens &tokens_;
    const int64_t count_;
    const at::Tensor queries_, own_, flow_, valid_, biases_;
    const int64_t heads_, channels_, frames_;
    std::vector<at::Tensor> anchors_;
    at::Tensor coarse_keys_, coarse_values_;
};

// The kernel has no gradient.
bool can_be_fused(const CrossTokens &tokens, const at::Tensor &gates) {
    const at::ScalarType type = tokens.queries.scalar_type();
    const int64_t channels = tokens.queries.size(2);
    return !at::GradMode::is_enabled() && gates.is_cpu() && (type == at::kFloat || type == at::kBFloat16) &&
           tokens.own.scalar_type() == type && channels % 8 == 0 && channels / gates.size(1) % 4 == 0;
}

} // namespace

at::Tensor cross_attention(const CrossTokens &tokens, const at::Tensor &gates) {
    if (!can_be_fused(tokens, gates))
        return Layer(tokens, gates).attend();
    return tokens.queries.scalar_type() == at::kFloat ? Fused<float>(tokens, gates).attend()
                                                      : Fused<uint16_t>(tokens, gates).attend();
}

} // namespace aianime::nn
