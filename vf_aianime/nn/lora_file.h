// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/lora_delta.h"
#include "nn/weights.h"

namespace aianime::nn {

// A LoRA file sorted by layers. Thread safety: const members from several threads.
class LoraFile {
public:
    // Throws Error: as WeightSource::from_file(); BAD_DATA for a file without any layer, for layers that lack a part and for an
    // alpha that is 0 or not a number.
    explicit LoraFile(const std::string &path);

    const std::string &path() const { return source_.description(); }
    // By the name that the file gives the layer.
    const std::map<std::string, LoraParts> &layers() const { return layers_; }
    // Names of tensors that are no part of a LoRA.
    const std::vector<std::string> &unknown() const { return unknown_; }
    // "kohya LoRA", "lycoris LoKr DoRA", ... with every kind that occurs.
    std::string dialect() const;

    // Columns of the first layer that reads the text, 0 where the shapes do not tell; the models that have it, "" for others.
    int64_t text_width() const;
    std::string family() const;

    std::vector<int64_t> shape(const std::string &tensor) const { return source_.shape(tensor); }
    at::Tensor tensor(const std::string &name) const { return source_.tensor(name, at::kFloat, at::kCPU); }

private:
    void read_alphas();

    WeightSource source_;
    std::map<std::string, LoraParts> layers_;
    std::map<std::string, std::string> dialects_; // of the layers
    std::vector<std::string> unknown_;
};

} // namespace aianime::nn
