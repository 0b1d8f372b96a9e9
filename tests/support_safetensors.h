// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

// Writes tensors (float32, float16 or bfloat16) as a safetensors file.
void write_safetensors(const std::string &path, const std::map<std::string, at::Tensor> &tensors);
