// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace aianime::nn {

// Named tensors from one or several safetensors files. Thread safety: const members from several threads.
class WeightSource {
public:
    // One file.
    static WeightSource from_file(const std::string &path);
    // A diffusers component folder: diffusion_pytorch_model.safetensors or model.safetensors, their .fp16 variants, or a sharded
    // index. A folder with only pickles throws Error (FORBIDDEN) with the command that converts them.
    static WeightSource from_folder(const std::string &folder);

    std::vector<std::string> names() const;
    bool has(const std::string &name) const;
    std::vector<int64_t> shape(const std::string &name) const;
    // Reads a tensor and converts it. Throws Error (IO, BAD_DATA).
    at::Tensor tensor(const std::string &name, at::ScalarType dtype, at::Device device) const;
    // For messages.
    const std::string &description() const { return description_; }

private:
    static WeightSource from_index(const std::string &folder, const std::string &index);
    const io::TensorInfo &info(const std::string &name) const;

    std::string description_;
    std::vector<std::shared_ptr<io::SafetensorsFile>> files_;
    std::map<std::string, size_t> file_of_;
};

} // namespace aianime::nn
