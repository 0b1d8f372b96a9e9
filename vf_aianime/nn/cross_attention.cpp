// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_attention.h"

#include <cmath>

#include "nn/aten.h"
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

} // namespace

at::Tensor cross_attention(const CrossTokens &tokens, const at::Tensor &gates) { return Layer(tokens, gates).attend(); }

} // namespace aianime::nn
