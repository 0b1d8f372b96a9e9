// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/adamw.h"

#include <cmath>

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"

namespace aianime::train {

AdamW::AdamW(const Parameters &parameters, const AdamWOptions &options) : options_(options) {
    for (const auto &[name, tensor] : parameters) {
        Group &group =
            this->group(tensor.dim() > 1 ? options.weight_decay : 0, options.rate_factor ? options.rate_factor(name) : 1);
        group.values.push_back(tensor);
        group.first.push_back(at::zeros_like(tensor.detach()));
        group.second.push_back(at::zeros_like(tensor.detach()));
        group.counts.push_back(at::zeros({}, tensor.options().requires_grad(false)));
        state_.emplace_back("m." + name, group.first.back());
        state_.emplace_back("v." + name, group.second.back());
    }
}

AdamW::Group &AdamW::group(double decay, double factor) {
    for (Group &known : groups_)
        if (known.decay == decay && known.factor == factor)
            return known;
    groups_.emplace_back();
    groups_.back().decay = decay;
    groups_.back().factor = factor;
    return groups_.back();
}

void AdamW::set_count(int64_t count) {
    for (Group &group : groups_)
        for (at::Tensor &each : group.counts)
            each.fill_(static_cast<double>(count));
}

// A tensor that a loss did not reach has a gradient of zero.
std::vector<at::Tensor> AdamW::gradients(const Group &group) const {
    std::vector<at::Tensor> all;
    for (const at::Tensor &value : group.values) {
        if (!value.grad().defined())
            value.mutable_grad() = at::zeros_like(value.detach());
        all.push_back(value.grad());
    }
    return all;
}

double AdamW::step(double rate, int64_t parts) {
    const at::NoGradGuard no_gradient;
    std::vector<std::vector<at::Tensor>> all(groups_.size());
    std::vector<at::Tensor> norms;
    for (size_t i = 0; i < groups_.size(); i++) {
        all[i] = gradients(groups_[i]);
        at::_foreach_div_(all[i], static_cast<double>(parts));
        for (const at::Tensor &norm : at::_foreach_norm(all[i]))
            norms.push_back(norm);
    }
    const double norm = norms.empty() ? 0 : at::stack(norms).norm().item<double>();
    for (size_t i = 0; i < groups_.size() && std::isfinite(norm); i++) {
        Group &group = groups_[i];
        if (options_.clip > 0 && norm > options_.clip)
            at::_foreach_mul_(all[i], options_.clip / norm);
        for (at::Tensor &count : group.counts)
            count.add_(1);
        at::_fused_adamw_(group.values, all[i], group.first, group.second, {}, group.counts, rate * group.factor, options_.beta1,
                          options_.beta2, group.decay, options_.eps, false, false);
    }
    for (auto &list : all)
        for (at::Tensor &gradient : list)
            gradient.zero_();
    return norm;
}

} // namespace aianime::train
