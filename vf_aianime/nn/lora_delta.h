// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace aianime::nn {

// What one file says of one layer: the file's tensor for each part, see LoraKey.
struct LoraParts {
    std::map<std::string, std::string> tensors;
    std::optional<double> alpha; // none: the rank
    bool rank_stabilized = false;

    bool has(const std::string &part) const { return tensors.count(part) != 0; }
    // A part without its partner, or two ways to say the same: a sentence on it, "" when all is well.
    std::string defect() const;
    bool changes_weight() const;
    bool changes_bias() const { return has("diff_b"); }
    // "LoRA", "LoCon", "LoHa", "LoKr", "full difference", with " DoRA" behind it.
    std::string kind() const;
};

// Gives a part's tensor in float32.
using PartReader = std::function<at::Tensor(const std::string &part)>;

// What is added to a float32 weight at full strength, in its shape. A linear layer and a 1x1 convolution are the same here.
// Works on tensors without data (device meta) too, which is how shapes are checked before anything is read.
// Throws Error (BAD_DATA) when the parts do not fit together or do not fit the weight.
at::Tensor weight_delta(const LoraParts &parts, const PartReader &read, const at::Tensor &weight);
// The same for a bias.
at::Tensor bias_delta(const PartReader &read, const at::Tensor &bias);

} // namespace aianime::nn
