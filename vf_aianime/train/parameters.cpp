// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/parameters.h"

#include <cmath>
#include <map>

#include "io/error.h"
#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "train/random.h"

namespace aianime::train {

namespace {

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_table(const std::string &name) { return name.find("embedding.weight") != std::string::npos; }

int64_t fan_in(const std::vector<int64_t> &shape) {
    int64_t product = 1;
    for (size_t i = 1; i < shape.size(); i++)
        product *= shape[i];
    return product;
}

// A bias shares its layer's bound, which the weight, visited just before it, has set.
void fill(at::Tensor &tensor, const std::string &name, double &bound, const at::Generator &generator) {
    if (tensor.dim() >= 2 && is_table(name)) {
        tensor.normal_(0, 0.02, generator);
    } else if (tensor.dim() >= 2) {
        bound = 1 / std::sqrt(static_cast<double>(fan_in(tensor.sizes().vec())));
        tensor.uniform_(-bound, bound, generator);
    } else if (ends_with(name, "weight")) {
        tensor.fill_(1);
        bound = 0;
    } else if (bound > 0) {
        tensor.uniform_(-bound, bound, generator);
    } else {
        tensor.zero_();
    }
}

} // namespace

void initialise(nn::Module &module, uint64_t seed, at::Device device, const std::function<double(const std::string &name)> &gain) {
    double bound = 0;
    module.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &shape) {
        at::Tensor value = at::empty(shape, at::kFloat);
        fill(value, name, bound, generator_for(seed, static_cast<int64_t>(text_hash(name)), 0));
        if (gain)
            value.mul_(gain(name));
        value = value.to(device);
        tensor = shape.size() == 4 ? value.contiguous(at::MemoryFormat::ChannelsLast) : value;
    });
    module.call_loaded();
}

Parameters trainable(nn::Module &module, const std::string &prefix, const std::function<bool(const std::string &name)> &wanted) {
    Parameters parameters;
    module.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        const bool train = !wanted || wanted(name);
        if (train && tensor.scalar_type() != at::kFloat)
            tensor = tensor.to(at::kFloat);
        // Inference tensors, which loading under InferenceMode makes, cannot be trained.
        if (tensor.is_inference())
            tensor = tensor.clone();
        tensor = tensor.detach().requires_grad_(train);
        if (train)
            parameters.emplace_back(prefix + name, tensor);
    });
    return parameters;
}

void copy_values(const Parameters &from, const Parameters &to) {
    const at::NoGradGuard no_gradient;
    const std::map<std::string, at::Tensor> values(from.begin(), from.end());
    for (const auto &[name, tensor] : to) {
        const auto value = values.find(name);
        if (value == values.end() || !value->second.sizes().equals(tensor.sizes()))
            throw Error(AIANIME_BAD_DATA, "training state: " + name + " is missing or has another shape");
        at::Tensor target = tensor;
        target.copy_(value->second);
    }
}

int64_t count(const Parameters &parameters) {
    int64_t sum = 0;
    for (const auto &entry : parameters)
        sum += entry.second.numel();
    return sum;
}

} // namespace aianime::train
