// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/module.h"

namespace aianime::nn {

// A layer of a network that a LoRA may change.
struct NamedLayer {
    std::string name; // "down_blocks.0.resnets.0.conv1"
    // Empty where the layer has no such tensor.
    std::vector<int64_t> weight;
    std::vector<int64_t> bias;
};

// The layers of a network by every name that LoRA files give them: diffusers' and transformers' own, those of the original code's
// U-Net ("input_blocks_1_1_..."), and for motion modules both those of AnimateDiff's files and of diffusers' MotionAdapter.
class LayerNames {
public:
    explicit LayerNames(Module &module);
    // By LoraLayer's name; null when there is none.
    const NamedLayer *find(const std::string &plain_name) const;

private:
    void add_names(size_t layer);
    void add_ldm_names();
    void add(const std::string &plain_name, size_t layer) { names_.emplace(plain_name, layer); }

    std::vector<NamedLayer> layers_;
    std::map<std::string, size_t> names_;
};

} // namespace aianime::nn
