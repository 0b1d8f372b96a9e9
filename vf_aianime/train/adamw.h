// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "train/parameters.h"

namespace aianime::train {

struct AdamWOptions {
    double beta1 = 0.9, beta2 = 0.99;
    double weight_decay = 0.01;
    double eps = 1e-8;
    double clip = 1;                                                      // of the norm of all gradients together; 0: none
    std::function<double(const std::string &name)> rate_factor = nullptr; // of a parameter; null: 1 for all
};

// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with LibTorch's fused kernel, its state in plain tensors so that it can be kept.
// One-dimensional tensors (norms, biases) do not decay.
class AdamW {
public:
    AdamW(const Parameters &parameters, const AdamWOptions &options);

    // Divides the gradients by `parts`, clips, steps and clears them. Returns the norm before clipping; where that is not finite
    // nothing is changed but the gradients, which are cleared all the same.
    double step(double rate, int64_t parts);

    // "m.NAME" and "v.NAME": first and second moments.
    const Parameters &state() const { return state_; }
    // Steps done, which the moments' corrections need.
    void set_count(int64_t count);

private:
    struct Group {
        std::vector<at::Tensor> values, first, second, counts;
        double decay, factor;
    };
    Group &group(double decay, double factor);
    std::vector<at::Tensor> gradients(const Group &group) const;

    AdamWOptions options_;
    std::vector<Group> groups_;
    Parameters state_;
};

} // namespace aianime::train
