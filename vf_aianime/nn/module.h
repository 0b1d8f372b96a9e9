// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace aianime::nn {

class WeightSource;

// A network or a part of one. Members are registered under the names the checkpoint uses, so that loading is one walk and a missing
// tensor is a readable name ("down_blocks.1.resnets.0.conv1.weight"). Modules are built empty (no tensor is allocated); load()
// fills them. Not copyable or movable: parents keep pointers to their members.
//
// Thread safety: none while loading; forward functions are const and may run concurrently on a loaded module.
class Module {
public:
    using Visitor = std::function<void(const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &shape)>;

    Module() = default;
    Module(const Module &) = delete;
    Module &operator=(const Module &) = delete;
    virtual ~Module() = default;

    // Calls `visitor` for every tensor below, depth first in order of registration, with its full name and expected shape.
    void visit(const Visitor &visitor, const std::string &prefix = "");
    // Called on every module after load(), parents after children: derived weights (merged, repacked) are made here.
    virtual void loaded() {}
    int64_t parameter_count();
    // Gives the memory of all tensors below back; what is left can only be loaded again.
    void release();

    void call_loaded();

protected:
    // Both keep the address: register members of the object itself only.
    void parameter(const std::string &name, at::Tensor &tensor, std::vector<int64_t> shape);
    void child(const std::string &name, Module &module);

private:
    struct Parameter {
        std::string name;
        at::Tensor *tensor;
        std::vector<int64_t> shape;
    };
    std::vector<Parameter> parameters_;
    std::vector<std::pair<std::string, Module *>> children_;
};

// Fills every tensor of `module` from `source` in `dtype` on `device`, gradient off. Convolution weights (4-d) are stored
// channels-last. Names the source has beyond the module's are refused unless `ignored(name)` says otherwise (null refuses all).
// `patch`, where given, may replace a tensor while it is still in the file's precision, as merged LoRAs do.
// Returns the names of tensors that hold values which are not finite, as the file has them: a network can do without some weights,
// and a run whose results are not finite is refused anyway.
// Throws Error (BAD_DATA) listing up to 20 missing, unexpected and wrongly shaped names.
using Ignored = std::function<bool(const std::string &name)>;
using Patch = std::function<at::Tensor(const std::string &name, const at::Tensor &weight)>;
std::vector<std::string> load(Module &module, const WeightSource &source, at::ScalarType dtype, at::Device device,
                              const Ignored &ignored = nullptr, const Patch &patch = nullptr);
// The check that load() begins with, without reading a weight.
void check_names(Module &module, const WeightSource &source, const Ignored &ignored = nullptr);

} // namespace aianime::nn
