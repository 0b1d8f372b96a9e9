// SPDX-License-Identifier: LGPL-2.1-or-later
// Weight files made from lists of names and shapes; their values are a function of the name (tests/golden/synthetic.py makes the
// same).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

struct ListedTensor {
    std::string name;
    std::string dtype; // as safetensors spells it
    std::vector<int64_t> shape;
    std::string stored = name; // its name in the file that is written
    double gain = 1;           // a power of 2
};

// tests/golden/<list>.txt
std::vector<ListedTensor> read_tensor_list(const std::string &list);

at::Tensor synthetic_tensor(const std::string &name, const std::vector<int64_t> &shape);

void write_synthetic(const std::string &path, const std::vector<ListedTensor> &tensors);
// A file of the right size that holds nothing but its header and a hole.
void write_hollow(const std::string &path, const std::vector<ListedTensor> &tensors);
