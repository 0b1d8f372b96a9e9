// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/state_file.h"

#include "io/error.h"
#include "io/safetensors_writer.h"
#include "nn/aten.h"

namespace aianime::train {

namespace {

void write(const std::string &path, const Parameters &tensors, at::ScalarType type, io::DType stored,
           const std::map<std::string, std::string> &metadata) {
    std::vector<at::Tensor> kept; // alive until the file is written
    std::map<std::string, io::TensorData> data;
    for (const auto &[name, tensor] : tensors) {
        kept.push_back(tensor.detach().to(at::kCPU, type).contiguous());
        data[name] = {stored, kept.back().sizes().vec(), kept.back().const_data_ptr()};
    }
    io::write_safetensors(path, data, metadata);
}

} // namespace

void write_tensors(const std::string &path, const Parameters &tensors, const std::map<std::string, std::string> &metadata) {
    write(path, tensors, at::kFloat, io::DType::f32, metadata);
}

void write_bfloat16(const std::string &path, const Parameters &tensors, const std::map<std::string, std::string> &metadata) {
    write(path, tensors, at::kBFloat16, io::DType::bf16, metadata);
}

StateFile read_tensors(const std::string &path) {
    const io::SafetensorsFile file(path);
    StateFile state;
    state.metadata = file.metadata();
    for (const auto &[name, info] : file.tensors()) {
        if (info.dtype != io::DType::f32)
            throw Error(AIANIME_BAD_DATA, path + ": " + name + " is not float32: not a training state");
        const at::Tensor tensor = at::empty(info.shape, at::kFloat);
        file.read(name, tensor.mutable_data_ptr());
        state.tensors.emplace_back(name, tensor);
    }
    return state;
}

} // namespace aianime::train
