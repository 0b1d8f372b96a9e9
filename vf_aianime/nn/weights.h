// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace aianime::nn {

// Where a tensor of a network lies in a file: a whole tensor or some of its rows, in another shape.
struct WeightView {
    std::string name; // in the file
    std::vector<int64_t> shape;
    int64_t first_row = 0;
};

// Named tensors from one or several safetensors files. Thread safety: const members from several threads.
class WeightSource {
public:
    // One file.
    static WeightSource from_file(const std::string &path);
    // A diffusers component folder: diffusion_pytorch_model.safetensors or model.safetensors, their .fp16 variants, or a sharded
    // index. A folder with only pickles throws Error (FORBIDDEN) with the command that converts them.
    static WeightSource from_folder(const std::string &folder);

    // The same files under other names; what `views` does not list is left out. Throws Error (BAD_DATA) where a view's name is not
    // in the files or its shape does not fit.
    WeightSource renamed(const std::map<std::string, WeightView> &views) const;

    // Both, each with something put in front of its names.
    WeightSource joined(const std::string &prefix, const WeightSource &other, const std::string &other_prefix) const;

    std::vector<std::string> names() const;
    bool has(const std::string &name) const;
    std::vector<int64_t> shape(const std::string &name) const;
    at::ScalarType dtype(const std::string &name) const; // in the file
    // Reads a tensor and converts it. Throws Error (IO, BAD_DATA).
    at::Tensor tensor(const std::string &name, at::ScalarType dtype, at::Device device) const;
    // For messages.
    const std::string &description() const { return description_; }

private:
    static WeightSource from_index(const std::string &folder, const std::string &index);
    struct Place {
        size_t file;
        WeightView view;
    };
    void add(const std::string &name, size_t file);
    const Place &place(const std::string &name) const;
    const io::TensorInfo &info(const Place &place) const;

    std::string description_;
    std::vector<std::shared_ptr<io::SafetensorsFile>> files_;
    std::map<std::string, Place> places_;
};

} // namespace aianime::nn
