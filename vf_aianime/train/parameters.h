// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"

namespace aianime::train {

// Leaves of the graph that are trained, float32, with names that are stable between runs.
using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

// Fills an empty module for training from nothing, as PyTorch's own layers do: uniform in +-1/sqrt(fan in) for weights and biases
// of linear layers and convolutions, normal(0, 0.02) for tables of embeddings, 1 and 0 for norms; times gain(name) where one is
// given. A function of seed and name only.
void initialise(nn::Module &module, uint64_t seed, at::Device device,
                const std::function<double(const std::string &name)> &gain = nullptr);

// Turns gradients on for the tensors of a loaded or initialised module that `wanted(name)` picks (null: all), converted to float32
// and put back into the module, and off for the rest. Names are put behind `prefix`.
Parameters trainable(nn::Module &module, const std::string &prefix,
                     const std::function<bool(const std::string &name)> &wanted = nullptr);

// Copies values of `from` over those of `to`, matched by name. Throws Error (BAD_DATA) where a name or a shape is missing.
void copy_values(const Parameters &from, const Parameters &to);

int64_t count(const Parameters &parameters);

} // namespace aianime::train
