// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_safetensors.h"

#include <vector>

#include "io/safetensors_writer.h"
#include "nn/aten.h"

void write_safetensors(const std::string &path, const std::map<std::string, at::Tensor> &tensors) {
    std::map<std::string, aianime::io::TensorData> data;
    std::vector<at::Tensor> kept;
    for (const auto &[name, tensor] : tensors) {
        kept.push_back(tensor.contiguous());
        const at::ScalarType type = kept.back().scalar_type();
        const auto dtype = type == at::kHalf       ? aianime::io::DType::f16
                           : type == at::kBFloat16 ? aianime::io::DType::bf16
                                                   : aianime::io::DType::f32;
        data[name] = {dtype, kept.back().sizes().vec(), kept.back().data_ptr()};
    }
    aianime::io::write_safetensors(path, data);
}
