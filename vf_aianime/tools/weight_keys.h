// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/safetensors.h"
#include "tools/weight_kind.h"

namespace aianime::tools {

// Questions about a file's tensors that tell what it is.
class WeightKeys {
public:
    explicit WeightKeys(const io::SafetensorsFile &file) : tensors_(file.tensors()) {}

    bool has(const std::string &name) const { return tensors_.count(name) != 0; }
    bool has_prefix(const std::string &prefix) const;
    // A name that holds this piece, "" when none does.
    std::string find(const std::string &piece) const;
    bool has_piece(const std::string &piece) const { return !find(piece).empty(); }
    // A side of the first tensor whose name holds every piece, counted from the end for negative numbers; 0 where there is none.
    int64_t side(std::initializer_list<const char *> pieces, int number) const;

    const std::map<std::string, io::TensorInfo> &tensors() const { return tensors_; }

private:
    const std::map<std::string, io::TensorInfo> &tensors_;
};

// "Stable Diffusion 1", 2 or XL by the width of the text that cross-attention sees (768, 1024, 2048); "" for others.
std::string family_of_width(int64_t width);

// LoRA and its relatives; a motion LoRA too.
std::optional<WeightKind> lora_kind(const WeightKeys &keys);
// What is added to a base: IP-Adapters, motion modules, embeddings, vision towers, annotators.
std::optional<WeightKind> extra_kind(const WeightKeys &keys);

} // namespace aianime::tools
